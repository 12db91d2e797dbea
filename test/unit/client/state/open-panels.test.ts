import { OpenPanels } from '../../../../client/state/open-panels.ts';

interface Entry {
  readonly panels?: number;
}

/** A browser's history: moves take effect later, as in a browser. */
class FakeWindow {
  readonly all: (Entry | null)[];
  at: number;
  private listener: (event: PopStateEvent) => void = () => {};
  private readonly moves: number[] = [];

  constructor(...all: (Entry | null)[]) {
    this.all = all.length > 0 ? all : [null];
    this.at = this.all.length - 1;
  }

  readonly history = {
    fake: this as FakeWindow,
    get state() {
      return this.fake.all[this.fake.at];
    },
    pushState: (state: Entry) => {
      this.all.splice(++this.at, Infinity, state);
    },
    go: (by = 0) => this.moves.push(by),
  };

  addEventListener(_: string, listener: (event: PopStateEvent) => void): void {
    this.listener = listener;
  }

  /** The visitor presses Back, or Forward. */
  press(by: -1 | 1): void {
    this.history.go(by);
    this.settle();
  }

  settle(): void {
    for (let by = this.moves.shift(); by !== undefined; by = this.moves.shift()) {
      this.at += by;
      this.listener({ state: this.history.state } as PopStateEvent);
    }
  }
}

function open(...entries: (Entry | null)[]) {
  const page = new FakeWindow(...entries);
  const seen: string[] = [];
  const tell = (isOpen: boolean): unknown => seen.push(isOpen ? 'open' : 'none');
  const panels = new OpenPanels(tell, page as never);
  const panel = (name: string) => {
    const closed = panels.open(() => {
      seen.push(`close ${name}`);
      closed();
    });
    return closed;
  };
  return { page, panels, panel, seen };
}

test('Back closes the top panel, and leaves the room only when none is open', () => {
  const { page, panel, seen } = open();
  panel('card');
  panel('keepsake');
  expect(page.at).toBe(2);
  page.press(-1);
  expect(seen).toEqual(['open', 'open', 'close keepsake', 'open']);
  page.press(-1);
  expect(seen.slice(4)).toEqual(['close card', 'none']);
  expect(page.at).toBe(0);
});

test('a panel that is closed otherwise takes its entry along, also if another opens at once', () => {
  const { page, panel } = open();
  const closed = [panel('card'), panel('crossing')];
  for (const close of closed) close();
  page.settle();
  expect(page.at).toBe(0);
  panel('map')();
  panel('gallery');
  page.settle();
  expect(page.history.state).toEqual({ panels: 1 });
  expect(page.all).toHaveLength(2);
});

test('closing the top panel says whether there was one', () => {
  const { panels, panel, seen } = open();
  expect(panels.closeTop()).toBe(false);
  panel('card');
  expect(panels.closeTop()).toBe(true);
  expect(panels.closeTop()).toBe(false);
  expect(seen).toEqual(['open', 'close card', 'none']);
});

test('all panels close at once, the top first, and leave nothing in the history', () => {
  const { page, panels, panel, seen } = open();
  panel('card');
  panel('keepsake');
  panels.closeAll();
  expect(seen.slice(2)).toEqual(['close keepsake', 'close card', 'none']);
  expect(panels.closeTop()).toBe(false);
  page.settle();
  expect(page.at).toBe(0);
  panels.closeAll();
  expect(page.at).toBe(0);
});

test('after a reload, and on Forward, entries without panels are left behind', () => {
  const { page, panel } = open(null, { panels: 1 }, { panels: 2 });
  page.settle();
  expect(page.at).toBe(0);
  page.press(1);
  expect(page.at).toBe(0);
  panel('card');
  page.settle();
  expect(page.history.state).toEqual({ panels: 1 });
});
