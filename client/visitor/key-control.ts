/** What keys do on the visitor's page: all that a pointer can. */

import type { OrganismView } from '../../shared/vocabulary.ts';
import { type KeyAction, keyAction } from '../input/keyboard.ts';
import type { RoomModel } from '../net/room-model.ts';
import type { Point } from '../render/camera.ts';
import type { RoomView } from '../render/room-view.ts';
import type { InteractionState } from '../state/interaction-state.ts';
import { LocalStore } from '../state/local-store.ts';
import type { Tools } from './tools.ts';

/** What of the page keys reach. */
export interface KeyTarget {
  readonly canvas: HTMLCanvasElement;
  readonly model: RoomModel;
  readonly state: InteractionState;
  readonly view: RoomView;
  readonly tools: Tools;
  /** Goes to an organism of hers. */
  readonly mine: () => void;
  /** Puts the focus on the seeds. */
  readonly seeds: () => void;
  /** Lists the keys. */
  readonly help: () => void;
  /** Says what organism she has come to. */
  readonly meet: (organism: OrganismView) => void;
}

export class KeyControl {
  private readonly localStore = new LocalStore('vivarium keys');
  /** What of the grid the tool has pointed at. */
  private aimed: Point | undefined;

  constructor(private readonly target: KeyTarget) {}

  /** Whether single letters work everywhere on the page, and not on the canvas alone; this browser keeps it. */
  get everywhere(): boolean {
    return this.localStore.read() !== 'canvas';
  }

  set everywhere(everywhere: boolean) {
    this.localStore.write(everywhere ? 'page' : 'canvas');
  }

  down(event: KeyboardEvent): void {
    const { canvas, state: session } = this.target;
    // A sheet over the room has keys of its own.
    if (session.state.sheet) return;
    const from = event.composedPath()[0] as HTMLElement;
    // Many keyboards have brackets behind AltGr (which Windows tells as Ctrl and Alt) or Option.
    const bracket = event.altKey && /^[[\]]$/.test(event.key);
    if (event.metaKey || (!bracket && (event.ctrlKey || event.altKey))) return;
    if (from.matches('input, select, textarea') || from.closest('dialog')) return;
    const onCanvas = from === canvas || from === document.body;
    const action = keyAction(event.key, onCanvas, this.everywhere || from === canvas);
    if (!action) return;
    event.preventDefault();
    this.act(action);
  }

  act(action: KeyAction): void {
    const { state: session, view: director, canvas } = this.target;
    const { state } = session;
    if (action.do === 'take') session.take(action.tool);
    if (action.do === 'radius') session.setRadius(state.radius + action.by);
    if (action.do === 'move') director.rig.glideBy(action.dx, action.dy, 1);
    if (action.do === 'zoom') director.rig.glideBy(0, 0, action.factor);
    if (action.do === 'fit') director.rig.fit();
    if (action.do === 'look') session.update({ crisp: !state.crisp });
    if (action.do === 'escape') {
      session.update({ selection: undefined });
      canvas.focus();
    }
    if (action.do === 'use') this.target.tools.use(director.rig.middle, performance.now());
    if (action.do === 'meet') this.meet(action.by);
    if (action.do === 'mine') this.target.mine();
    if (action.do === 'seeds') this.target.seeds();
    if (action.do === 'help') this.target.help();
    director.loop.invalidate();
  }

  /** While the canvas has the keyboard, the tool points at the middle of the view; to be called with each picture. */
  follow(now: number): void {
    const { canvas, view: director, tools } = this.target;
    if (!canvas.matches(':focus-visible')) {
      this.aimed = undefined;
      return;
    }
    const place = director.toWorld(director.rig.middle);
    if (this.aimed?.x === place.x && this.aimed.y === place.y) return;
    this.aimed = place;
    const { x, y } = director.rig.middle;
    tools.hover(x, y, now);
  }

  /** Goes to the next organism in the order of birth; first of all to the one nearest to the middle of the view. */
  private meet(by: 1 | -1): void {
    const { model, state: session, view: director } = this.target;
    const all = [...model.organisms.values()];
    if (all.length === 0) return;
    const { selection } = session.state;
    const at = all.findIndex(({ id }) => id === (selection?.second || selection?.organism));
    const next = at < 0 ? this.nearest(all) : all[(at + by + all.length) % all.length];
    session.select(next.id);
    director.show(next);
    this.target.meet(next);
  }

  private nearest(all: readonly OrganismView[]): OrganismView {
    const { view: director } = this.target;
    const middle = director.toWorld(director.rig.middle);
    const far = ({ x, y }: OrganismView): number => Math.hypot(x - middle.x, y - middle.y);
    return all.reduce((best, one) => (far(one) < far(best) ? one : best));
  }
}
