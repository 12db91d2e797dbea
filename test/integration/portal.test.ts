/**
 * The network of an exhibition's own, as HOSTING.md describes it: a phone that has just joined gets
 * an address, and every page that it opens leads to the room. Server and phone are two network
 * namespaces of this machine, joined by a cable in place of the Wi-Fi.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterTest, suiteFolder } from '../support/closing.ts';
import { checkHaproxy } from '../support/haproxy.ts';
import { isFull, testNeeding } from '../support/needs.ts';
import { ended, findProgram } from '../support/programs.ts';

const PROGRAMS = ['ip', 'dnsmasq', 'haproxy', 'udhcpc', 'curl', 'unshare'];
const run = (command: string, ...args: readonly string[]) =>
  spawnSync(command, args, { encoding: 'utf8', timeout: 60_000 });
/** Whether network namespaces can be made, which needs root. */
const canUnshare =
  PROGRAMS.every((name) => findProgram(name)) && run('unshare', '-n', 'true').status === 0;

const folder = suiteFolder();
const SERVER = `viv-s${process.pid}`;
const PHONE = `viv-p${process.pid}`;
const shipped = (name: string): string => readFileSync(`server/deploy/portal/${name}`, 'utf8');

function must(command: string): string {
  const [program, ...args] = command.split(' ');
  const { status, stdout, stderr } = run(program, ...args);
  if (status !== 0) throw new Error(`${command}: ${stdout}${stderr}`);
  return stdout;
}

const running: ChildProcess[] = [];
/** Starts a program on the server's side, which ends with the test. */
function start(program: string, ...args: readonly string[]): void {
  running.push(spawn('ip', ['netns', 'exec', SERVER, program, ...args], { stdio: 'ignore' }));
}

/** Repeats something until it succeeds, because programs take a moment to listen. */
async function soon<T>(attempt: () => T | undefined): Promise<T> {
  for (let i = 0; i < 200; i++) {
    const result = attempt();
    if (result) return result;
    await new Promise((wake) => setTimeout(wake, 100));
  }
  throw new Error('It never succeeded.');
}

/** A phone's request. @returns status, address to which it is redirected, and content */
function open(url: string): string {
  const format = '%{stderr}%{http_code} %{redirect_url}';
  const curl = ['curl', '-s', '--max-time', '5', '-w', format, url];
  // Names are resolved by the server that DHCP has named.
  const { stdout, stderr } = run('ip', 'netns', 'exec', PHONE, ...curl);
  return `${stderr.trim()} ${stdout.trim()}`;
}

const WINDOW = 'http://vivarium.lan/';

// Short runs have no other form of this test, because it changes the machine's networks.
testNeeding(`root, ${PROGRAMS.join(', ')} and test:full`, isFull && canUnshare)(
  'a phone that joins gets an address and a name server, and every page leads to the room until it has been there',
  async () => {
    afterTest(async () => {
      for (const program of running) program.kill('SIGKILL');
      await Promise.all(running.map(ended));
      for (const name of [SERVER, PHONE]) run('ip', 'netns', 'del', name);
    });
    for (const name of [SERVER, PHONE]) must(`ip netns add ${name}`);
    must(`ip link add wlan0 netns ${SERVER} type veth peer name wlan0 netns ${PHONE}`);
    for (const name of [SERVER, PHONE]) {
      must(`ip -n ${name} link set lo up`);
      must(`ip -n ${name} link set wlan0 up`);
    }
    must(`ip -n ${SERVER} addr add 10.20.0.1/20 dev wlan0`);
    // A room's page in place of the server.
    const page =
      "require('http').createServer((_, r) => r.end('the room')).listen(8080, '10.20.0.1')";
    start(process.execPath, '-e', page);
    const config = join(folder, 'dnsmasq.conf');
    writeFileSync(config, shipped('dnsmasq.conf'));
    must(`dnsmasq --test --conf-file=${config}`);
    start('dnsmasq', '-k', `--conf-file=${config}`, '--user=root', '--pid-file', '--leasefile-ro');
    const balancer = join(folder, 'haproxy.cfg');
    writeFileSync(balancer, shipped('haproxy.cfg'));
    checkHaproxy(balancer);
    start('haproxy', '-db', '-f', balancer);

    // The phone takes the address and the name server that it is offered.
    const script = join(folder, 'udhcpc.sh');
    const resolv = `/etc/netns/${PHONE}`;
    must(`mkdir -p ${resolv}`);
    afterTest(() => void run('rm', '-rf', resolv));
    const take = `[ "$1" = bound ] || exit 0
ip addr add "$ip/$mask" dev "$interface" && ip route add default via "$router"
echo "nameserver $dns" > ${resolv}/resolv.conf; echo "$ip $router $dns" > ${folder}/lease`;
    writeFileSync(script, `#!/bin/sh\n${take}\n`, { mode: 0o755 });
    await soon(() => {
      const dhcp = ['udhcpc', '-i', 'wlan0', '-n', '-q', '-t', '3', '-T', '1', '-s', script];
      return run('ip', 'netns', 'exec', PHONE, ...dhcp).status === 0;
    });
    const [address, router, names] = readFileSync(`${folder}/lease`, 'utf8').trim().split(' ');
    expect(address).toMatch(/^10\.20\.\d+\.\d+$/);
    expect([router, names]).toEqual(['10.20.0.1', '10.20.0.1']);

    const probes = [
      ['http://connectivitycheck.gstatic.com/generate_204', '204 '],
      ['http://captive.apple.com/hotspot-detect.html', expect.stringMatching(/^200 .*Success/)],
      ['http://www.msftconnecttest.com/connecttest.txt', '200 Microsoft Connect Test'],
      ['http://detectportal.firefox.com/success.txt', '200 success'],
    ] as const;
    await soon(() => /^302/.test(open(probes[0][0])));
    // The phone asks more than once before its window opens.
    for (const [probe] of [...probes, ...probes]) expect(open(probe)).toBe(`302 ${WINDOW} `);
    expect(open('http://10.20.0.1/')).toBe(`302 ${WINDOW} `);
    expect(open(WINDOW)).toBe('302 http://10.20.0.1:8080/ ');
    await soon(() => open('http://10.20.0.1:8080/') === '200 the room');
    // The phone now believes that the network works, and whatever else it opens leads to the room.
    for (const [probe, answer] of probes) expect(open(probe)).toEqual(answer);
    expect(open('http://anything.example/')).toBe(`302 ${WINDOW} `);
  },
);
