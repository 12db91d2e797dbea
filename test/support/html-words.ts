/** Finds words that are written into HTML templates, and so are said in English only. */

/** The template literals of a source that make HTML, without what is put into them. */
export function templates(source: string): string[] {
  const found: string[] = [];
  const read = (from: number): [text: string, end: number] => {
    let text = '';
    let i = from;
    while (source[i] !== '`') {
      if (source[i] === '\\') i++;
      if (source.startsWith('${', i)) {
        i = skip(i + 2) + 1;
        text += '◦';
      } else text += source[i++];
    }
    return [text, i];
  };
  /** Past an expression; what is a template in it is found on the way. */
  const skip = (from: number): number => {
    let depth = 0;
    for (let i = from; ; i++) {
      if (source[i] === '{') depth++;
      if (source[i] === '}' && depth-- === 0) return i;
      if (source[i] === '`') i = template(i);
    }
  };
  const template = (at: number): number => {
    const before = source.slice(Math.max(0, at - 40), at);
    // What stands in msg(html`…`) is translated.
    const isHtml = before.endsWith('html') && !/msg\(\s*html$/.test(before);
    const [text, end] = read(at + 1);
    if (isHtml) found.push(text);
    return end;
  };
  const plain = source.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  source = plain;
  for (let i = 0; i < source.length; i++) if (source[i] === '`') i = template(i);
  return found;
}

/** Words in a template that are said in English, whatever the language. */
export function untranslated(html: string): string[] {
  const spoken = html.match(/\s(?:aria-label|title|placeholder|alt)="[^"◦]*\p{L}[^"]*"/gu) ?? [];
  // Attribute values may hold the sign > only inside of what is put in, which is gone.
  const text = html.replaceAll(/<[^>]*>/g, '\n').split('\n');
  return [...spoken, ...text.map((line) => line.trim()).filter((line) => /\p{L}{2}/u.test(line))];
}
