/**
 * Entry point of `npm run words`, which updates the translation files and the generated modules.
 * Run this command after changing a text, the gallery or the list of languages.
 */
import { printDiagnostics } from '@lit/localize-tools/lib/typescript.js';
import { TRANSLATED_LANGUAGES } from '../../../shared/languages.ts';
import { galleryNames, readKinds, Words } from './build-words.ts';

const words = new Words();
const { messages, errors } = words.source();
if (errors.length > 0) {
  printDiagnostics(errors);
  process.exit(1);
}
await words.updateTranslationFiles();
await words.build();

const names = await galleryNames();
for (const code of TRANSLATED_LANGUAGES) {
  const translated = words.translations(code);
  const texts = messages.filter(({ name }) => !translated.has(name)).length;
  const kinds = await readKinds(code);
  const unnamed = names.filter((name) => !kinds[name]).length;
  if (texts + unnamed === 0) continue;
  process.stdout.write(
    `${code}: ${texts} of ${messages.length} texts in client/locale/xliff/${code}.xlf and ` +
      `${unnamed} of ${names.length} names in client/locale/kinds/${code}.json ` +
      'are still to be translated\n',
  );
}
