/**
 * Identifies the build of a page by the names of the files that the page loads. These names contain
 * hashes of the files' contents.
 *
 * @param page HTML of the page
 * @returns the identifier; '' for a page from the development server, which does not build pages
 */
export function buildOf(page: string): string {
  const files = page.match(/\/assets\/[\w.-]+/g) ?? [];
  return [...new Set(files)].sort().join(' ');
}
