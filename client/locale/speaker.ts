/** Says things in a language of one's choice, whatever the page itself speaks: the wall tells the same in several. */
import { generateMsgId } from '@lit/localize/internal/id-generation.js';
import type { Language } from './languages.ts';
import { loadDictionary } from './load.ts';

export interface Speaker {
  readonly language: Language;
  /**
   * A text in this language.
   *
   * @param text in English, written as `msg('…')` so that it is found and translated; the page itself must speak English
   * @param values what stands for `{name}` in it
   */
  say(text: string, values?: Readonly<Record<string, string | number>>): string;
  /** What a gallery's kind is called, in the middle of a sentence. */
  kind(kind: string): string;
}

/** Fetches a language's words; says what it does not know in English. */
export async function speakerOf(language: Language): Promise<Speaker> {
  const { templates, kinds } = await loadDictionary(language);
  return {
    language,
    say: (text, values = {}) => {
      const known = templates[generateMsgId(text, false)];
      return fill(typeof known === 'string' ? known : text, values);
    },
    kind: (kind) => kinds[kind] ?? kind.replaceAll(/[_-]+/g, ' ').toLowerCase(),
  };
}

function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replaceAll(/\{(\w+)\}/g, (whole, name) =>
    Object.hasOwn(values, name) ? String(values[name]) : whole,
  );
}
