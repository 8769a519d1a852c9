import { createTheme, type MantineColorsTuple } from "@mantine/core";

const sea: MantineColorsTuple = [
  "#e6f7fa",
  "#cdebf1",
  "#9ad6e3",
  "#63c0d3",
  "#38acc4",
  "#1b98b2",
  "#0b7f97",
  "#0b6e82",
  "#075767",
  "#03414e",
];

/** Dark surfaces with a little blue in them, as the water has at night. */
const dark: MantineColorsTuple = [
  "#d3dde2",
  "#b4c1c8",
  "#93a3ac",
  "#6b7c86",
  "#3d4d57",
  "#2b3942",
  "#212d35",
  "#172128",
  "#10191f",
  "#0a1217",
];

/** The page's look. Sizes and weights are Mantine's own unless something here says otherwise. */
export const theme = createTheme({
  colors: { sea, dark },
  primaryColor: "sea",
  primaryShade: { light: 7, dark: 6 },
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  headings: { fontWeight: "620" },
  components: {
    // Its head is a <header>, which would be taken for the page's own.
    Modal: { defaultProps: { attributes: { header: { role: "none" } } } },
  },
});
