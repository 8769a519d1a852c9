import type { ReactNode } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import classes from "./Response.module.css";

/** HTML in an answer stays text, and nothing in it makes the browser ask another server. */
const SAFE: Components = {
  a: ({ href, children }) => (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow" title={href}>
      {children}
    </a>
  ),
  img: ({ alt, src }) => <em>[image: {alt || String(src)}]</em>,
  h1: Heading,
  h2: Heading,
  h3: Heading,
  h4: Heading,
  h5: Heading,
  h6: Heading,
};

/** Headings of an answer are below those of the page. */
function Heading({ children }: { children?: ReactNode }) {
  return <h3>{children}</h3>;
}

export default function Markdown({ text }: { text: string }) {
  return (
    <div className={classes.markdown}>
      <ReactMarkdown remarkPlugins={[remarkGfm]} components={SAFE}>
        {text}
      </ReactMarkdown>
    </div>
  );
}
