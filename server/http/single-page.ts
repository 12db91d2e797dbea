/** The page of keepsakes as one HTML file, which any web server or a double click opens. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface SinglePageOptions {
  /** The folder of the built client. */
  readonly clientFolder: string;
  /** From `pageModels`. */
  readonly models: ReadonlyMap<string, { readonly bytes: Buffer }>;
  /** Origin of the server to plant at; absent: the page offers no planting. */
  readonly server?: string | undefined;
}

/** The file asks nobody for anything. */
const POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:";

/**
 * Puts the page's script, its styles and the models into its HTML.
 *
 * @throws the error of reading the built client
 */
export async function singlePage(options: SinglePageOptions): Promise<string> {
  const { clientFolder, models, server } = options;
  const page = await readFile(join(clientFolder, 'keep.html'), 'utf8');
  const files = new Map<string, string>();
  for (const [path] of page.matchAll(/\/assets\/[^"]+/g)) {
    files.set(path, await readFile(join(clientFolder, path), 'utf8'));
  }
  const head = [
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}" />`,
    ...(server === undefined ? [] : [`<meta name="vivarium-server" content="${server}" />`]),
  ];
  const data = Array.from(
    models,
    ([name, { bytes }]) =>
      `<script type="text/plain" data-model="${name}">${bytes.toString('base64')}</script>`,
  );
  return page
    .replace(/<meta charset[^>]*>/, (charset) => [charset, ...head].join('\n    '))
    .replace(
      /<link rel="stylesheet"[^>]*href="(\/assets\/[^"]+)"[^>]*>/g,
      (_, path: string) => `<style>${files.get(path)}</style>`,
    )
    .replace(
      /<script type="module"[^>]*src="(\/assets\/[^"]+)"[^>]*><\/script>/g,
      (_, path: string) => `<script type="module">${asInline(files.get(path)!)}</script>`,
    )
    .replace('</body>', () => `${data.join('\n')}\n</body>`);
}

/** What would end a script element, or begin a comment in it, means the same with a backslash. */
const asInline = (script: string): string =>
  script.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
