/** An element with these attributes and children. Strings become text, never markup. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Let the element say this. What it says already is not said again: readers would repeat it. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
