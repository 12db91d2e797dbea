/** Which GPUs are built into this machine: what could be used, with the right driver, whatever can be used now. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const GPU_VENDORS = ['nvidia', 'amd', 'intel', 'apple'] as const;
export type GpuVendor = (typeof GPU_VENDORS)[number];

/** Vendors of PCI devices. Others make display adapters of virtual machines and of consoles, which compute nothing. */
const VENDORS: Readonly<Record<string, GpuVendor>> = {
  '0x10de': 'nvidia',
  '0x1002': 'amd',
  '0x8086': 'intel',
};
/** Display controllers: VGA, 3D, and others. */
const DISPLAY = '0x03';

/**
 * Vendors of this machine's GPUs, each once. On systems that it cannot ask (Windows), and of GPUs that are no PCI devices
 * (boards), it finds none: then nobody is told to install a driver, and engines find their GPU all the same.
 *
 * @param devices where Linux lists PCI devices
 */
export function findGpus(
  platform: NodeJS.Platform = process.platform,
  devices = '/sys/bus/pci/devices',
): GpuVendor[] {
  if (platform === 'darwin') return ['apple'];
  if (platform !== 'linux') return [];
  const found = new Set<GpuVendor>();
  for (const device of listed(devices)) {
    const vendor = VENDORS[fact(join(devices, device, 'vendor'))];
    if (vendor && fact(join(devices, device, 'class')).startsWith(DISPLAY)) found.add(vendor);
  }
  return [...found];
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function fact(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}
