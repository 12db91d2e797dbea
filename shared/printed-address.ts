/** The web address of a room, as walls and signs show it: a QR code, and text to type. */
import { generate } from 'lean-qr';
import type { Wifi } from './host/room-settings.ts';

export interface Code {
  /** Side length of the QR code in modules, including the quiet zone. */
  readonly side: number;
  /** SVG path with one rectangle for each horizontal run of dark modules. */
  readonly path: string;
}

/** Creates a QR code. @param quiet width of the quiet zone around the code, in modules */
export function codeOf(text: string, quiet: number): Code {
  const bitmap = generate(text);
  let path = '';
  for (let y = 0; y < bitmap.size; y++) {
    for (let x = 0; x < bitmap.size; x++) {
      if (!bitmap.get(x, y)) continue;
      const from = x;
      while (bitmap.get(x + 1, y)) x++;
      path += `M${from + quiet} ${y + quiet}h${x + 1 - from}v1H${from + quiet}z`;
    }
  }
  return { side: bitmap.size + 2 * quiet, path };
}

/**
 * Returns the text of a QR code with which phones join a Wi-Fi network. The type 'WPA' covers both
 * WPA2 and WPA3.
 * https://github.com/zxing/zxing/wiki/Barcode-Contents#wi-fi-network-config-android-ios-11
 */
export function wifiCode({ name, password, hidden }: Wifi): string {
  const plain = (text: string): string => text.replaceAll(/[\\;,:"]/g, '\\$&');
  const key = password === '' ? 'T:nopass;' : `T:WPA;P:${plain(password)};`;
  return `WIFI:S:${plain(name)};${key}${hidden ? 'H:true;' : ''};`;
}

/** Formats a web address for people to read and type. */
export function readable(address: string): string {
  return address.replace(/^https?:\/\//, '').replace(/\/$/, '');
}

/** Splits a web address after its first slash, which ends the server's name. */
export const addressLines = (address: string): string[] => address.split(/(?<=^[^/]*\/)/);
