/** The systemd units: what they let the server and the wall do, as systemd itself rates it. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suiteFolder } from '../support/closing.ts';
import { testNeeding } from '../support/needs.ts';

const units = fileURLToPath(new URL('../../server/deploy', import.meta.url));

/** The worst exposure, of 10. */
const MOST = 3;

function analyze(...words: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', words, { encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

/** `security --offline` is of systemd 250. */
const [, version = '0'] = /^systemd (\d+)/.exec(analyze('--version').output) ?? [];
const ifPresent = testNeeding('systemd-analyze 250', Number(version) >= 250);

/** How exposed a unit is with its drop-ins, from 0 to 10. */
function exposureOf(unit: string, dropIns: readonly string[] = []): number {
  const folder = suiteFolder();
  const system = join(folder, 'etc/systemd/system');
  mkdirSync(join(system, `${unit}.d`), { recursive: true });
  cpSync(join(units, unit), join(system, unit));
  for (const file of dropIns) cpSync(join(units, file), join(system, `${unit}.d`, file));
  const { output } = analyze('security', '--offline=true', '--no-pager', `--root=${folder}`, unit);
  const [, level] = /Overall exposure level for \S+: ([\d.]+)/.exec(output) ?? [];
  if (level === undefined) throw new Error(output);
  // Directives that it does not know, or values, are named.
  expect(output).not.toMatch(/unknown|ignoring|failed/i);
  return Number(level);
}

test('what is always started again is so however often it fails', () => {
  const services = readdirSync(units)
    .filter((file) => file.endsWith('.service'))
    .map((file) => readFileSync(join(units, file), 'utf8'))
    .filter((text) => text.includes('\nRestart=always\n'));
  expect(services).toHaveLength(3);
  for (const text of services) {
    expect(text).toMatch(/^\[Unit\]$[^[]*^StartLimitIntervalSec=0$[^[]*^\[Service\]$/m);
  }
});

describe('systemd-analyze security (where systemd-analyze is installed)', () => {
  ifPresent.each([
    ['vivarium.service', []],
    ['vivarium.service', ['vivarium-gpu.conf']],
    ['vivarium-wall-watch.service', []],
    ['vivarium-wall-restart.service', []],
  ])(`%s with %j is at most ${MOST} exposed`, (unit, dropIns) => {
    expect(exposureOf(unit, dropIns)).toBeLessThanOrEqual(MOST);
  });

  ifPresent('the drop-in for servers of a cluster makes a template of vivarium.service', () => {
    const folder = suiteFolder();
    const unit = join(folder, 'vivarium@.service');
    mkdirSync(`${unit}.d`);
    cpSync(join(units, 'vivarium.service'), unit);
    cpSync(join(units, 'cluster/vivarium-cluster.conf'), join(`${unit}.d`, 'cluster.conf'));
    const owner = join(folder, 'vivarium@owner.service');
    expect(analyze('verify', '--man=no', owner)).toEqual({ status: 0, output: '' });
  });

  // Chromium's own sandbox needs what these limits would take away.
  ifPresent("the wall's browser is no more exposed than it was", () => {
    expect(exposureOf('vivarium-wall.service')).toBeLessThanOrEqual(8.6);
  });
});
