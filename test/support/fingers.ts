/** Fingers on a touch table, as a browser hears of them: each comes, moves and leaves by itself. */
import type { CDPSession, Page } from 'playwright-core';
import { drawnTwice, type Point } from './page.ts';

export class Fingers {
  private readonly down = new Map<number, Point>();
  /** What has been sent so far: a browser takes one event after the other. */
  private sent: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly page: Page,
    private readonly session: CDPSession,
  ) {}

  static async of(page: Page): Promise<Fingers> {
    return new Fingers(page, await page.context().newCDPSession(page));
  }

  /** A finger touches, goes along a way, and leaves. */
  async stroke(id: number, way: readonly Point[]): Promise<void> {
    await this.send('touchStart', id, way[0]);
    for (const at of way) await this.send('touchMove', id, at);
    await this.lift(id);
  }

  async tap(id: number, at: Point): Promise<void> {
    await drawnTwice(this.page);
    await this.send('touchStart', id, at);
    await this.lift(id);
  }

  press(id: number, at: Point): Promise<unknown> {
    return this.send('touchStart', id, at);
  }

  /** A finger leaves; the others stay. */
  lift(id: number): Promise<unknown> {
    return this.send('touchEnd', id);
  }

  private send(type: 'touchStart' | 'touchMove' | 'touchEnd', id: number, at?: Point) {
    this.sent = this.sent.then(() => {
      if (at) this.down.set(id, at);
      else this.down.delete(id);
      const touchPoints = [...this.down].map(([each, { x, y }]) => ({ id: each, x, y }));
      // Of a finger that leaves, the browser wants to know those that stay.
      return this.session.send('Input.dispatchTouchEvent', { type, touchPoints });
    });
    return this.sent;
  }
}
