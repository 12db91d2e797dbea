/** Files that pages offer. */
import type { Locator } from 'playwright-core';

/** Clicks a link and reads the file that it downloads. */
export async function download(link: Locator): Promise<{ name: string; bytes: Buffer }> {
  const [saved] = await Promise.all([link.page().waitForEvent('download'), link.click()]);
  const chunks: Buffer[] = [];
  for await (const chunk of await saved.createReadStream()) chunks.push(chunk as Buffer);
  return { name: saved.suggestedFilename(), bytes: Buffer.concat(chunks) };
}
