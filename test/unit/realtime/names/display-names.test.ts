import { cleanName, createNameCheck } from '../../../../server/realtime/names/display-names.ts';
import { MAX_NAME_LENGTH } from '../../../../shared/names.ts';
import PEOPLE from '../../../fixtures/people-names.json' with { type: 'json' };
import fc, { anyText, forAll, forRuns } from '../../../support/property.ts';

test.each([
  [undefined, ''],
  ['  Ada \n Lovelace\t', 'Ada Lovelace'],
  ['\u202Eevil\u0000', 'evil'],
  ['Zoë 🌱', 'Zoë 🌱'],
  [`a${'\u0301\u0302\u0303\u0304'.repeat(9)}`.normalize('NFD'), 'á\u0302\u0303'],
  ['x'.repeat(99), 'x'.repeat(24)],
  ['\u200b\u200b', ''],
  // An emoji sequence stays one, and joins nothing else.
  ['👩‍🔬', '👩‍🔬'],
  ['👩🏽‍🔬 👁️‍🗨️', '👩🏽‍🔬 👁️‍🗨️'],
  ['👩\u200d\u200d🔬', '👩 🔬'],
  ['\u200d👩\u200d', '👩'],
  ['a\u200db', 'a b'],
  // Persian for “I want”, and a conjunct of Devanagari that is written out.
  ['می\u200cخواهم', 'می\u200cخواهم'],
  ['क्\u200cष', 'क्\u200cष'],
  ['\u200cمی\u200c', 'می'],
  ['می\u200c\u200cخواهم', 'می خواهم'],
  // A flag is shown whole or not at all.
  [`${'x'.repeat(23)}🇩🇰`, 'x'.repeat(23)],
  ['🇩🇰'.repeat(13), '🇩🇰'.repeat(12)],
  [`${'x'.repeat(22)}م\u200cم`, `${'x'.repeat(22)}م`],
])('the name %p becomes %p', (given, cleaned) => {
  expect(cleanName(given)).toBe(cleaned);
});
describe('any name', () => {
  const pieces = [
    ...'aB7 .é\u0301میक\u094d李👩🔬🏽🇩🇰❤',
    ...'\ufe0f\u200c\u200d\u200b\u202e\u2066\u200f\u061c\u00ad\ufeff',
    ...'\0\n\u2028\ud800\ue000\u{e0067}\u{10ffff}',
  ];
  const given = fc.oneof(
    fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((some) => some.join('')),
    anyText({ maxLength: 60 }),
  );
  const check = (holds: (cleaned: string, given: string) => void) =>
    forAll(given, (text) => holds(cleanName(text), text));

  test('is within the maximum length, without spaces at its ends or in a row', () => {
    check((cleaned) => {
      expect([...cleaned].length).toBeLessThanOrEqual(MAX_NAME_LENGTH);
      expect(cleaned).not.toMatch(/^\s|\s$|\s\s|[^\S ]/u);
    });
  });

  test('has no invisible characters but single joiners in emoji and single non-joiners between letters', () => {
    check((cleaned) => {
      expect(cleaned.replace(/[\u200c\u200d]/g, '')).not.toMatch(/\p{C}/u);
      expect(cleaned).not.toMatch(/^[\u200c\u200d]|[\u200c\u200d]$|[\u200c\u200d]{2}/);
      for (const [, before, after] of cleaned.matchAll(/(.)\u200d(?=(.))/gu)) {
        expect(before).toMatch(/\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f/u);
        expect(after).toMatch(/\p{Extended_Pictographic}/u);
      }
      for (const [, before, after] of cleaned.matchAll(/(.)\u200c(?=(.))/gu)) {
        expect(before).toMatch(/[\p{L}\p{M}]/u);
        expect(after).toMatch(/\p{L}/u);
      }
    });
  });

  test('that is clean stays the same', () => {
    check((cleaned) => expect(cleanName(cleaned)).toBe(cleaned));
  });
});

/** Hidden from everybody by most fonts, though some are letters. */
const BLANKS = '\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u180e\ufe0f\u{1d159}\u{e0041}';

test.each([...BLANKS])('a name of %j alone, or with a mark, is none', (blank) => {
  expect(cleanName(blank.repeat(3))).toBe('');
  expect(cleanName(`${blank}\u0301`)).toBe('');
  expect(cleanName(`A${blank}da`)).toBe('A da');
});

describe('a name that is not shown', () => {
  const check = createNameCheck(['Blorp', 'blödmann', '...', 'дурак', 'Ада', 'Hanuš']);
  const reasonOf = (name: string) => check(cleanName(name));

  test.each(
    Object.entries({
      English: 'fuck, FuCkEr 99, sh1t, Heil Hitler, n1gg3r',
      Danish: 'bøsserøv, BOESSEROEV, luder, pik, Kælling, fissehår',
      German: 'Hurensohn99, fick dich, Scheiße, scheisse, ARSCHLOCH, Fotze, W1chser',
      Spanish: 'puta, Hijo de puta, CABRÓN, gilipollas, mierda, el coño',
      Japanese: 'まんこ, マンコ, ﾏﾝｺ, ちんこ大好き, 死ね',
      Arabic: 'شرموطة, ابن الشرموطة, كس, قـحـبـة, هتلر',
      'letters that are spelled out': 'f u c k, f.u.c.k, p-u-t-a, h u r e n s o h n',
      'words in two': 'huren sohn, arsch loch, gili pollas',
      'look-alikes': 'ʃṳ𝒸𝗄, рutа, fісkеn, Ｆｕｃｋ, ɑrschloch, MIЕRDА, püta',
      'enclosed letters': '🅵🆄🅲🅺, ⓟⓤⓣⓐ, 🇫🇮🇨🇰',
      'signs within': 'fu_ck, hu*ren*sohn, f\u200cu\u200cck, f\u3164u\u3164c\u3164k',
      'stretched words': 'fuuuuck, puuuta, schlaaampe, miiierrrda',
      'digits for letters': 'p1k, put4, 4r5chl0ch, m1erd@',
      'look-alikes of several scripts': 'nιggεr, ηιggεr, nǃgger, ɴɪɢɢᴇʀ, hιtlεr',
      'i for l, 9 for g': 'nlgger, ni99er, hltler, SIut, KlLL YOURSELF, n!99a',
      'words by their sound': 'phuck, Phucker, vvhore',
      'words upside down': 'ʞɔnɟ, ɹǝƃƃᴉu, ɐʇnd, ʞƆ∩Ⅎ',
      runes: 'ᛋᛋ, ᛊ ᛊ, ᚾᛁᚷᚷᛖᚱ, ᚺᛁᛏᛚᛖᚱ',
      'hate and gestures': '卐, 卍 88, ࿕, ࿖, 🖕, 🖕🏽 Bo, 8====D, B==D ~',
      'numbers of hate': '1488, Bo 14/88, 14 88, Heil 88, heil_88, SS 88',
      threats: 'Kill yourself, kys, K.Y.S., kill urself bo, bring dich um',
      Russian: 'сука, Хуй, ПИЗДЕЦ, иди нахуй, пидорас, блядь, мудак, blyat',
      Chinese: '傻逼, 操你妈, 王八蛋, 他媽的, 去死吧, 白痴, 老王王八蛋',
      Korean: '씨발, 시발놈, 병신, 개새끼야, 지랄하네, 좆, ㅅㅂ',
      'more Arabic': 'كلب, ابن الكلب, كس أمك, حقير, شرموطة',
      'other languages': 'connard, cazzo, klootzak, kurwa, siktir, jävlar, faen',
      'web addresses': 'www.evil.com, evil.com, https://x.yz, t.me/abc, evil dot com',
      'mail addresses': 'bo@home.org, Ｂｏ＠ｈｏｍｅ．ｏｒｇ',
      'phone numbers': '+45 12 34 56 78, 0171/2345678, (555) 123-4567, １２３４５６７８',
      "the host's words": 'blorp, b l o r p, bloooorp, xxBLORPxx, der Blodman, BLÖDMANN',
      "the host's words, even if they are names": 'Ада, Hanuš und Bo',
      "the host's words in Cyrillic": 'Дурачок и дурак, bl\u200corp',
    }),
  )('%s', (_, names) => {
    for (const name of names.split(', '))
      expect([name, reasonOf(name)]).toEqual([name, 'bad-name']);
  });

  test.each(
    Object.entries({
      'the gardener': 'The gardener, GARDENER, the  Gardener!, gardener 2, g a r d e n e r',
      'the gardener in other languages':
        'Der Gärtner, gärtner, Gartneren, El Jardinero, 庭師, 庭師さん, البستاني',
      'the host':
        'Host, the host, Your Host, Vært, Gastgeber, Anfitrión, anfitrion, 運営, ホスト, المضيف, المُضيف',
      'the server': 'Admin, admin1, Vivarium, The house, System, moderator',
      'look-alikes': 'Тhe gаrdеnеr, H0st, Нost, Ｇａｒｄｅｎｅｒ, Adrnin, АDМIN, gärdener, 🅷🅾🆂🆃',
      'the host in languages without a page':
        'Хост, ХОСТ, администратор, 管理员, 호스트, 호스트 2, Hôte, Jardinier',
      'invisible characters': 'Ho\u200bst, gar\u00addener, Ho\u3164st, \u2066host\u2069',
    }),
  )('because it imitates %s', (_, names) => {
    for (const name of names.split(', '))
      expect([name, reasonOf(name)]).toEqual([name, 'reserved-name']);
  });
});

describe('a name that is shown', () => {
  const check = createNameCheck([]);
  const refused = (names: readonly string[]) => names.filter((name) => check(cleanName(name)));

  test.each(Object.entries(PEOPLE))('as first or last name: %s', (_, people) => {
    expect(refused(people.split(', '))).toEqual([]);
  });

  test('as first and last name, with a space or a hyphen', () => {
    const name = fc.constantFrom(...Object.values(PEOPLE).flatMap((people) => people.split(', ')));
    forRuns(1_600, name, name, (first, last) => {
      expect(refused([`${first} ${last}`, `${first}-${last}`, `${first} & ${last}`])).toEqual([]);
    });
  });

  test.each(
    Object.entries({
      English:
        'Scunthorpe, Penistone, Grape, Cassandra, Hitchcock, Essex, Assassin, Cockpit, Analyst, Therapist, Sussex, Arsenal, Shiitake, Class 4b, Ghost, Hostess, Gardeners, Gardenia, Team 7, Hosting, Sextet, Dickens, Middlesex, Clitheroe',
      Danish:
        'Pige, Pikant, Kokken, Gift, Fisk, Fiskeren, Mus, Rev, Røver, Røverdatter, Lygte, Skole, Klasse 3.b, Hygge, Sjov, Bedstemor, Spids, Pisk, Hundehvalp, Hvalpen, Gartneri, Fluder, Lysten, Høst, Hostesaft',
      German:
        'Klasse 5a, Muschel, Assel, Kuss, Flick, Ficus, Fichte, Schlamm, Schwänzer, Dicker, Drache, Rosette, Nackte Kanone, Popel, Hurra, Uhren, Uhrensammler, Bisonjäger, Analog, Kackadu, Wichtel, Wischer, Pissarro, Geschirr, Gartenzwerg, Staffel',
      Spanish:
        'Concha, Trio, Computadora, Diputado, Disputa, Reputación, Coñac, Cucurucho, Culebra, Calculo, Vehículo, Articulo, Martillo, Pedro, Huésped, Jardín, Putumayo, Sexto, Verga Alta',
      Japanese:
        'さくら, 女の子, フック船長, ファンタジー, なめこ, きのこ, たんぽぽ, カント, まんぼう, ちんあなご, 庭, おにぎり, プリンス, アナ, 性格, 正常',
      Arabic: 'فرج, كريم, مصر, نيكول, لبوة, كسرى, زبيدة, خولة, بستان, دار, كرز',
      'other scripts':
        '李小龙, Дмитрий, Γιώργος, محمد, مريم, 김민준, ประเสริฐ, अनन्या, שרה, Ольга, Анна, Наталья',
      emoji: '👩‍🔬, 🌱🌱🌱, 🇩🇰, 🇩🇪🇪🇸🇯🇵, ❤️, 👨‍👩‍👧‍👦, 1️⃣, ☺︎, 🍆',
      'other languages':
        'Mama, Mamma, Flicka, Slik, Fødder, Am, Bitte, Café con leche, Pommes frites, Burro, Pasta, 处女座, 小鸭, 강아지, Собака, Radio, Радио, Gato, Chat, قط',
      numbers: '88, Anna 88, Bo 2014, 007, 12345, 8-), 8=), Heil, Agent 1489',
      dots: 'Klasse 3.b, Dr. No, St. Jo, J.R.R. T., Anna. Me, Mr.T',
      signs: '-, ..., ♥♥♥, (^_^), A., Mx. O’Neill, D’Arcy & Bo, J.R.R. T., @home',
    }),
  )('as an everyday word: %s', (_, words) => {
    expect(refused(words.split(', '))).toEqual([]);
  });
});
