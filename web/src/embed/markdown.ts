import type { Nodes, Parents, Table } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmTableFromMarkdown } from "mdast-util-gfm-table";
import { gfmTable } from "micromark-extension-gfm-table";
import { el } from "./dom";

/** Longer answers are shown as plain text: laying them out would stop the page. */
const MOST_RENDERED = 30_000;
const DEEPEST = 30;
const WEB = /^(https?|mailto):/i;
const SYNTAX = { extensions: [gfmTable()], mdastExtensions: [gfmTableFromMarkdown()] };

/**
 * The elements that a Markdown text makes; the text itself when it is too long for that.
 *
 * Only the elements that stand here are ever made, and every text is put into them as text: HTML
 * stays what was written, images are named, and links lead to web addresses alone.
 */
export function markdown(text: string): (Node | string)[] {
  if (text.length > MOST_RENDERED) return [text];
  return new Rendering(text).children(fromMarkdown(text, SYNTAX), 0);
}

class Rendering {
  constructor(private readonly source: string) {}

  children(node: Nodes, depth: number): (Node | string)[] {
    if (!("children" in node)) return [];
    return (node as Parents).children.map((child) => this.one(child, depth + 1));
  }

  private one(node: Nodes, depth: number): Node | string {
    // Nobody nests that deep but to break what reads it.
    if (depth > DEEPEST) return this.written(node);
    const inner = () => this.children(node, depth);
    switch (node.type) {
      case "text":
        return node.value;
      case "paragraph":
        return el("p", {}, ...inner());
      case "heading":
        return el("h3", {}, ...inner());
      case "emphasis":
        return el("em", {}, ...inner());
      case "strong":
        return el("strong", {}, ...inner());
      case "blockquote":
        return el("blockquote", {}, ...inner());
      case "list":
        return el(node.ordered ? "ol" : "ul", startOf(node.start), ...inner());
      case "listItem":
        return el("li", {}, ...inner());
      case "inlineCode":
        return el("code", {}, node.value);
      case "code":
        return el("pre", { tabindex: "0" }, el("code", {}, node.value));
      case "break":
        return el("br");
      case "thematicBreak":
        return el("hr");
      case "link":
        return WEB.test(node.url) ? link(node.url, inner()) : el("span", {}, ...inner());
      case "image":
        return el("em", {}, `[image: ${node.alt || node.url}]`);
      case "table":
        return this.table(node, depth);
      default:
        return this.written(node);
    }
  }

  private table(node: Table, depth: number): Node {
    const rows = node.children.map((row, index) => {
      const cells = row.children.map((cell) =>
        el(index === 0 ? "th" : "td", {}, ...this.children(cell, depth + 2)),
      );
      return el("tr", {}, ...cells);
    });
    return el("div", { class: "table", tabindex: "0" }, el("table", {}, ...rows));
  }

  /** What stands in the text for something that is not laid out, such as HTML. */
  private written({ position }: Nodes): string {
    return this.source.slice(position?.start.offset, position?.end.offset);
  }
}

function link(href: string, children: (Node | string)[]): Node {
  const rel = "noopener noreferrer nofollow";
  return el("a", { href, title: href, target: "_blank", rel }, ...children);
}

function startOf(start: number | null | undefined): Record<string, string> {
  return typeof start === "number" && start !== 1 ? { start: String(start) } : {};
}
