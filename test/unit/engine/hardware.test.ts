import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findGpus } from '../../../server/engine/choose-backend.ts';
import { temporaryFolder } from '../../support/closing.ts';

const folder = temporaryFolder();
let machines = 0;
let devices: string;
beforeEach(() => {
  devices = join(folder(), `${machines++}`);
});

function plug(slot: string, facts: Record<string, string>): void {
  mkdirSync(join(devices, slot), { recursive: true });
  for (const [name, value] of Object.entries(facts)) {
    writeFileSync(join(devices, slot, name), `${value}\n`);
  }
}

test('GPUs are display controllers of vendors that make them, each vendor once', () => {
  plug('0000:00:00.0', { vendor: '0x8086', class: '0x060000' });
  plug('0000:01:00.0', { vendor: '0x10de', class: '0x030000' });
  plug('0000:02:00.0', { vendor: '0x10de', class: '0x030200' });
  plug('0000:03:00.0', { vendor: '0x1002', class: '0x038000' });
  expect(findGpus('linux', devices).sort()).toEqual(['amd', 'nvidia']);
});

test('the display adapter of a virtual machine is not a GPU', () => {
  plug('0000:00:02.0', { vendor: '0x1234', class: '0x030000' });
  plug('0000:00:03.0', {});
  expect(findGpus('linux', devices)).toEqual([]);
});

test('nothing is found where devices are not listed, except on a Mac, which has a GPU', () => {
  expect(findGpus('linux', join(devices, 'nowhere'))).toEqual([]);
  expect(findGpus('win32')).toEqual([]);
  expect(findGpus('darwin')).toEqual(['apple']);
});
