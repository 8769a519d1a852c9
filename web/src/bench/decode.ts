/** The text of a file as it is, in UTF-8; null for anything else. */
export function asText(bytes: Uint8Array): string | null {
  return decoded(bytes, "utf-8");
}

/**
 * The text of a requirements file, read as pip reads it: by its byte order mark, else its coding
 * line, else as UTF-8, else as Windows-1252. Null for what is no text.
 */
export function asRequirements(bytes: Uint8Array): string | null {
  const encoding = evident(bytes) ?? declared(bytes);
  if (encoding !== undefined) return decoded(bytes, encoding);
  return decoded(bytes, "utf-8") ?? decoded(bytes, "windows-1252");
}

/** Without its byte order mark. Null when it is not in that encoding, or holds a zero. */
function decoded(bytes: Uint8Array, encoding: string): string | null {
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return text.includes("\0") ? null : text;
  } catch {
    return null;
  }
}

/** UTF-16, by its mark or by the zeros between ASCII characters. */
function evident(bytes: Uint8Array): string | undefined {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  const start = bytes.subarray(0, 4096);
  if (start.length < 4) return undefined;
  const zeros = (parity: number) => start.filter((byte, at) => at % 2 === parity && byte === 0);
  const [even, odd] = [zeros(0).length, zeros(1).length];
  const [evens, odds] = [Math.ceil(start.length / 2), Math.floor(start.length / 2)];
  if (even === 0 && odd === odds) return "utf-16le";
  return odd === 0 && even === evens ? "utf-16be" : undefined;
}

/** What a coding line (PEP 263) names, which is the first or the second line. */
function declared(bytes: Uint8Array): string | undefined {
  const start = new TextDecoder("windows-1252").decode(bytes.subarray(0, 1000));
  for (const line of start.split(/\r\n|\r|\n/, 2)) {
    const name = /^[ \t\f]*#.*?coding[:=][ \t]*([-_.a-zA-Z0-9]{1,40})/.exec(line)?.[1];
    // What browsers do not call as Python does, Python's other names cover: latin_1, utf8.
    if (name !== undefined) return name.replace(/_/g, "-").replace(/^latin-1$/i, "latin1");
  }
  return undefined;
}
