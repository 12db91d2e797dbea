/** Names by which visitors would pass for the gardener, the host or the server. */
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { LanguageCode } from '../../../shared/languages.ts';
import { skeletonsOf } from './comparable-letters.ts';

/** By language. All of them hold on every page; a new language may add its own. */
const ROLES: Readonly<Partial<Record<LanguageCode, readonly string[]>>> = {
  en: ['gardener', 'host', 'admin', 'administrator', 'moderator', 'staff', 'system', 'server'],
  da: ['gartner', 'gartneren', 'vært', 'værten', 'værtinde', 'personale', 'personalet', 'huset'],
  de: ['gärtner', 'gärtnerin', 'gastgeber', 'gastgeberin', 'aufsicht', 'leitung', 'personal'],
  es: [
    ...['jardinero', 'jardinera', 'anfitrión', 'anfitriona', 'administrador', 'administradora'],
    ...['moderador', 'moderadora', 'personal'],
  ],
  ja: ['庭師', 'ガーデナー', '運営', '運営者', '管理者', '管理人', 'ホスト', '主催者', 'スタッフ'],
  ar: [
    ...['بستاني', 'البستاني', 'البستانية', 'مضيف', 'المضيف', 'المضيفة', 'مشرف', 'المشرف'],
    ...['المدير', 'الإدارة', 'الطاقم', 'الدار', 'النظام', 'الخادم'],
  ],
};

/** What may stand before or after a role without changing who is meant. */
const AROUND = new Set([
  ...['the', 'your', 'our', 'mr', 'mrs', 'ms', 'real', 'official'],
  ...['den', 'det', 'din', 'vores', 'der', 'die', 'das', 'dein', 'unser', 'herr', 'frau'],
  ...['el', 'la', 'los', 'las', 'tu', 'señor', 'señora'],
]);

/** Honorifics, which follow a Japanese name without a space. */
const HONORIFIC = /(さん|サン|様|さま|くん|君|ちゃん|殿)$/u;

/** A name without articles, honorifics and a number at its end, as skeletons. */
function coresOf(name: string): string[] {
  const words = name
    .normalize('NFC')
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .filter((word) => !AROUND.has(word.toLowerCase()))
    .join(' ')
    .replace(/(?<=\P{N})[\p{N} ]+$/u, '')
    .replace(HONORIFIC, '');
  return skeletonsOf(words);
}

const { name: gardener } = DEFAULTS.attract;
const RESERVED: ReadonlySet<string> = new Set(
  [...Object.values(ROLES).flat(), gardener, DEFAULTS.osc.planter, 'Vivarium'].flatMap((name) => [
    ...coresOf(name),
    ...skeletonsOf(name),
  ]),
);

/** Whether a name imitates the gardener or the host in one of the page's languages. */
export function isReservedName(name: string): boolean {
  return [...skeletonsOf(name), ...coresOf(name)].some((skeleton) => RESERVED.has(skeleton));
}
