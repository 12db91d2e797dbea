import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storedSecret } from '../../../server/storage/stored-secret.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vivarium-secret-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe('a kept secret', () => {
  test('is the same the next time, another by another name, and nobody else may read it', () => {
    const secret = Buffer.from(storedSecret(folder, 'a.key'));
    expect(secret).toHaveLength(32);
    expect(Buffer.from(storedSecret(folder, 'a.key'))).toEqual(secret);
    expect(Buffer.from(storedSecret(folder, 'b.key'))).not.toEqual(secret);
    expect(statSync(join(folder, 'a.key')).mode & 0o777).toBe(0o600);
  });

  test('that was truncated is replaced', () => {
    writeFileSync(join(folder, 'a.key'), 'short');
    expect(storedSecret(folder, 'a.key')).toHaveLength(32);
  });

  test('without a folder lasts as long as the process; one that cannot be kept is an error', () => {
    expect(storedSecret(undefined, 'a.key')).not.toEqual(storedSecret(undefined, 'a.key'));
    writeFileSync(join(folder, 'file'), '');
    expect(() => storedSecret(join(folder, 'file'), 'a.key')).toThrow('cannot be read or written');
  });
});
