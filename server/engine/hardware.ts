/** Finds the GPUs built into this machine, including those that lack a driver. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Vendors whose GPUs the backends can use. */
export const GPU_VENDORS = ['nvidia', 'amd', 'intel', 'apple'] as const;
/** One of `GPU_VENDORS`. */
export type GpuVendor = (typeof GPU_VENDORS)[number];

/** PCI vendor ids. Other vendors make display adapters of servers and virtual machines. */
const VENDORS: Readonly<Record<string, GpuVendor>> = {
  '0x10de': 'nvidia',
  '0x1002': 'amd',
  '0x8086': 'intel',
};
/** PCI class of display controllers. */
const DISPLAY = '0x03';

/**
 * Vendors of this machine's GPUs, each once. Finds none on Windows, and none that are not PCI
 * devices: the host is then not advised to install a driver, but engines still find a working GPU.
 *
 * @param devices the folder where Linux lists PCI devices
 */
export function findGpus(
  platform: NodeJS.Platform = process.platform,
  devices = '/sys/bus/pci/devices',
): GpuVendor[] {
  if (platform === 'darwin') return ['apple'];
  if (platform !== 'linux') return [];
  const found = new Set<GpuVendor>();
  const contentOf = (...path: string[]): string =>
    attempt(() => readFileSync(join(devices, ...path), 'utf8').trim(), '');
  for (const device of attempt(() => readdirSync(devices), [])) {
    const vendor = VENDORS[contentOf(device, 'vendor')];
    if (vendor && contentOf(device, 'class').startsWith(DISPLAY)) found.add(vendor);
  }
  return [...found];
}

/** The result of reading a file or folder; `otherwise` if it cannot be read. */
function attempt<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
