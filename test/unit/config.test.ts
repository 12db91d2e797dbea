import { ConfigError, helpText, readConfig } from '../../server/config.ts';

describe('settings', () => {
  test('have defaults that run', () => {
    expect(readConfig([], {})).toMatchObject({
      port: 8080,
      rooms: ['garden'],
      size: { width: 256, height: 256 },
      tickRate: 15,
      engine: 'auto',
    });
  });

  test('come from flags first, then the environment', () => {
    const config = readConfig(['--tick-rate', '20', '--rooms=a,b'], {
      VIVARIUM_TICK_RATE: '30',
      VIVARIUM_SIZE: '128x64',
    });
    expect(config).toMatchObject({
      tickRate: 20,
      rooms: ['a', 'b'],
      size: { width: 128, height: 64 },
    });
  });

  test.each([
    [['--tick-rate', '61'], '--tick-rate must be a whole number from 1 to 60, not "61".'],
    [['--size', 'big'], '--size must be width x height'],
    [['--rooms', 'A room'], '--rooms must be names'],
    [['--rooms', 'a,a'], 'must not name a room twice'],
    [['--engine', 'steam'], '--engine must be one of auto'],
    [['--nonsense'], '--nonsense'],
  ])('%p is refused by name', (args, sentence) => {
    expect(() => readConfig(args, {})).toThrow(ConfigError);
    expect(() => readConfig(args, {})).toThrow(sentence);
  });

  test('an environment variable that cannot be read is named', () => {
    expect(() => readConfig([], { VIVARIUM_PORT: 'x' })).toThrow('VIVARIUM_PORT must be');
  });

  test('help names every setting', () => {
    expect(readConfig(['--help'], {})).toBe('help');
    for (const flag of ['port', 'rooms', 'tick-rate', 'checkpoint', 'engine', 'seed']) {
      expect(helpText()).toContain(`--${flag} `);
    }
  });
});
