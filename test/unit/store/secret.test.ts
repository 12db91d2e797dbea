import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keptSecret } from '../../../server/store/secret.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vivarium-secret-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe('a kept secret', () => {
  test('is the same the next time, another by another name, and nobody else may read it', () => {
    const secret = Buffer.from(keptSecret(folder, 'a.key'));
    expect(secret).toHaveLength(32);
    expect(Buffer.from(keptSecret(folder, 'a.key'))).toEqual(secret);
    expect(Buffer.from(keptSecret(folder, 'b.key'))).not.toEqual(secret);
    expect(statSync(join(folder, 'a.key')).mode & 0o777).toBe(0o600);
  });

  test('that was cut short is made anew', () => {
    writeFileSync(join(folder, 'a.key'), 'short');
    expect(keptSecret(folder, 'a.key')).toHaveLength(32);
  });

  test('without a folder lasts as long as the process; one that cannot be kept is an error', () => {
    expect(keptSecret(undefined, 'a.key')).not.toEqual(keptSecret(undefined, 'a.key'));
    writeFileSync(join(folder, 'file'), '');
    expect(() => keptSecret(join(folder, 'file'), 'a.key')).toThrow('cannot be kept');
  });
});
