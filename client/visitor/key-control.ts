/** Keyboard control of the visitor's page: everything that a pointer can do. */

import type { OrganismView } from '../../shared/vocabulary.ts';
import { type KeyAction, keyAction } from '../input/keyboard.ts';
import type { Point } from '../render/camera.ts';
import type { RoomView } from '../render/room-view.ts';
import { BrowserStore } from '../state/browser-store.ts';
import type { KeyHelp } from './elements/key-help.ts';
import type { RoomStory } from './elements/room-story.ts';
import type { ToolDock } from './elements/tool-dock.ts';
import type { FindMine } from './organisms/find-mine.ts';
import type { RoomSession } from './room-session.ts';
import type { Tools } from './tools.ts';

/** The elements of the page that keys act on. */
export interface KeyElements {
  readonly canvas: HTMLCanvasElement;
  readonly dock: ToolDock;
  readonly finder: FindMine;
  readonly help: KeyHelp;
  readonly story: RoomStory;
}

/** Translates key presses into actions on the page. */
export class KeyControl {
  private readonly localStore = new BrowserStore('localStorage', 'vivarium keys');
  /** The position on the grid that the tool last pointed at, in cells. */
  private aimed: Point | undefined;

  constructor(
    private readonly session: RoomSession,
    private readonly view: RoomView,
    private readonly tools: Tools,
    private readonly elements: KeyElements,
  ) {}

  /**
   * Whether single letters work on the whole page or only while the canvas has the focus. Stored in
   * this browser.
   */
  get everywhere(): boolean {
    return this.localStore.read() !== 'canvas';
  }

  set everywhere(everywhere: boolean) {
    this.localStore.write(everywhere ? 'page' : 'canvas');
  }

  /** Handles a keydown event of the window. */
  down(event: KeyboardEvent): void {
    const { canvas } = this.elements;
    // A modal dialog has the keys to itself, also when nothing in it has the focus.
    if (this.session.panels.modals) return;
    const target = event.composedPath()[0] as HTMLElement;
    // Many keyboards need AltGr (reported as Ctrl and Alt on Windows) or Option for brackets.
    const bracket = event.altKey && /^[[\]]$/.test(event.key);
    if (event.metaKey || (!bracket && (event.ctrlKey || event.altKey))) return;
    if (target.matches('input, select, textarea')) return;
    const onCanvas = target === canvas || target === document.body;
    const action = keyAction(event.key, onCanvas, this.everywhere || target === canvas);
    if (!action) return;
    event.preventDefault();
    this.act(action);
  }

  /** Performs an action, from a key or from the button for it. */
  act(action: KeyAction): void {
    const { view } = this;
    const { canvas, dock, finder, help } = this.elements;
    const { state: interaction } = this.session;
    const { state } = interaction;
    if (this.session.watches && /take|seeds/.test(action.do)) return;
    if (/move|zoom|fit|meet|mine/.test(action.do)) this.session.views.stop();
    if (action.do === 'take') interaction.take(action.tool);
    if (action.do === 'radius') interaction.setRadius(state.radius + action.by);
    if (action.do === 'move') view.rig.glideBy(action.dx, action.dy, 1);
    if (action.do === 'zoom') view.rig.glideBy(0, 0, action.factor);
    if (action.do === 'fit') view.rig.fit();
    if (action.do === 'look') interaction.update({ crisp: !state.crisp });
    if (action.do === 'escape') {
      interaction.update({ selection: undefined });
      canvas.focus();
    }
    if (action.do === 'use') this.tools.use(view.rig.middle, performance.now());
    if (action.do === 'meet') this.meet(action.by);
    if (action.do === 'mine') finder.find();
    if (action.do === 'seeds') dock.focusSeeds();
    if (action.do === 'help') help.open(this);
    view.loop.invalidate();
  }

  /**
   * Points the tool at the middle of the view while the canvas has the keyboard focus. To be called
   * on every frame.
   *
   * @param now ms
   */
  follow(now: number): void {
    const { view, tools } = this;
    if (!this.elements.canvas.matches(':focus-visible')) {
      this.aimed = undefined;
      return;
    }
    const place = view.toWorld(view.rig.middle);
    if (this.aimed?.x === place.x && this.aimed.y === place.y) return;
    this.aimed = place;
    const { x, y } = view.rig.middle;
    tools.hover(x, y, now);
  }

  /**
   * Selects the next or previous organism in the order of birth; without a selection, the one
   * nearest to the middle of the view.
   */
  private meet(by: 1 | -1): void {
    const { model, state: interaction } = this.session;
    const all = [...model.organisms.values()];
    if (all.length === 0) return;
    const { selection } = interaction.state;
    const index = all.findIndex(({ id }) => id === (selection?.second || selection?.organism));
    const next = index < 0 ? this.nearest(all) : all[(index + by + all.length) % all.length];
    interaction.select(next.id);
    this.view.show(next);
    this.elements.story.tell(next);
  }

  private nearest(all: readonly OrganismView[]): OrganismView {
    const { view } = this;
    const middle = view.toWorld(view.rig.middle);
    const distance = ({ x, y }: OrganismView): number => Math.hypot(x - middle.x, y - middle.y);
    return all.reduce((best, one) => (distance(one) < distance(best) ? one : best));
  }
}
