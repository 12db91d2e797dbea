/**
 * Which build a page belongs to: the names of the built files that it is made of, which carry hashes of what is in them.
 *
 * @param page HTML of the page, as served or as it stands in the browser
 * @returns '' for a page that was not built
 */
export function buildOf(page: string): string {
  const files = page.match(/\/assets\/[\w.-]+/g) ?? [];
  return [...new Set(files)].sort().join(' ');
}
