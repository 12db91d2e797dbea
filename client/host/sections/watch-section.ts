/**
 * Section “Watch”: the live room. The host can stop visitors from acting, undo actions, ban
 * visitors, and remove organisms.
 */
import { msg, str } from '@lit/localize';
import { css, html, nothing, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import type { Rect } from '../../../shared/geometry.ts';
import type { CallAnswer } from '../../../shared/host/api.ts';
import type { HostState, RoomSummary } from '../../../shared/host/state.ts';
import type { OrganismId } from '../../../shared/vocabulary.ts';
import { icons, kindTile } from '../../elements/icons.ts';
import { ageText, organismName, stateText, survivedText } from '../../elements/text.ts';
import type { Point } from '../../render/camera.ts';
import * as ui from '../host-element.ts';
import { host, type Notice } from '../host-model.ts';
import { hostIcons } from '../icons.ts';
import { type LiveView, organismsIn, type PointerTool } from '../live-view.ts';
import * as texts from '../text.ts';
import { offerUndo } from './saved-section.ts';
import './drawing-and-report-queues.ts';
import './organism-list.ts';
import './visitor-list.ts';

const watchStyle = css`
  :host {
    display: grid;
    grid-template-columns: minmax(0, 1fr) 22.5em;
    gap: 18px;
    height: calc(100vh - 44px);
    /* 1 cqh is 1 % of the height of the main element, which may be lower than the screen. */
    height: calc(100cqh - 44px);
  }
  .view {
    grid-template-rows: auto minmax(0, 1fr);
    min-width: 0;
    min-height: 0;
  }
  .tools {
    gap: 8px 16px;
  }
  .showing {
    flex-basis: 100%;
  }
  .tight {
    inset-block: auto 14px;
    inset-inline: auto 14px;
    padding: 3px;
    border-radius: 16px;
    background: oklch(0.2 0.012 225 / 0.9);
    border: 1px solid var(--line);
  }
  .tight .icon {
    border-radius: 13px;
  }
  .stage {
    min-height: 0;
  }
  .organism {
    inset: 14px 14px auto auto;
    width: 19em;
    max-width: 100%;
    padding: 16px;
    background: oklch(0.2 0.012 225 / 0.95);
    box-shadow: var(--shadow);
  }
  .organism.left {
    inset: 14px auto auto 14px;
  }
  .organism header {
    padding-inline-end: 30px;
  }
  .tile {
    flex: none;
    width: 3.4em;
    height: 3.4em;
    clip-path: inset(1.5%);
  }
  .nameless {
    width: 2.4em;
    height: 2.4em;
    margin: 0.5em;
    clip-path: circle();
    background: radial-gradient(circle at 40% 35%, var(--warm), oklch(0.5 0.06 80));
  }
  .details {
    margin: 10px 0 14px;
  }
  .close {
    top: 8px;
    inset-inline-end: 8px;
  }
  .bar {
    left: 50%;
    bottom: 16px;
    translate: -50%;
    width: max-content;
    max-width: calc(100% - 20px);
    min-height: 3.6em;
  }
  .bar > span:only-child {
    padding-inline-end: 14px;
  }
  .shut {
    grid-row: 1 / -1;
    align-content: center;
    gap: 18px;
    min-height: 16em;
  }
  aside {
    display: grid;
    grid-auto-rows: max-content;
    align-content: start;
    gap: 12px;
    overflow-y: auto;
    margin: 0 -6px;
    padding: 0 6px 20px;
  }
  .pause {
    gap: 14px;
    padding: 14px 20px;
    border-radius: var(--radius);
    border: 1px solid oklch(0.86 0.08 80 / 0.45);
    background: oklch(0.86 0.08 80 / 0.09);
    text-align: start;
  }
  .pause svg {
    flex: none;
    width: 2em;
    height: 2em;
    color: var(--warm);
  }
  .pause b {
    display: block;
    font-weight: 500;
    font-size: 1.08em;
  }
  .pause.paused {
    background: oklch(0.86 0.08 80);
    color: oklch(0.2 0.03 80);
  }
  .pause.paused svg,
  .pause.paused small {
    color: oklch(0.28 0.04 80);
  }
  @media (hover: hover) {
    .pause:not(.paused):hover {
      background: oklch(0.86 0.08 80 / 0.16);
    }
  }
  @media (max-width: 1100px) {
    :host {
      grid-template-columns: minmax(0, 1fr);
      height: auto;
    }
    .stage {
      height: min(62vh, 70vw);
    }
    .pause {
      grid-column: 1 / -1;
    }
    aside {
      grid-template-columns: repeat(auto-fit, minmax(min(100%, 20em), 1fr));
      align-items: start;
      overflow: visible;
      margin: 0;
      padding: 0;
    }
  }
  @media (max-width: 1100px) and (max-height: 500px) {
    .stage {
      height: max(10em, calc(100vh - 215px));
    }
  }
  @media (max-width: 560px) {
    .stage {
      display: grid;
      gap: 8px;
      height: auto;
    }
    .stage live-view {
      position: relative;
      height: 44vh;
    }
    /* On a phone, place the organism's card below the picture, to keep the picture visible. */
    .organism,
    .organism.left {
      position: relative;
      inset: 0;
      width: auto;
    }
    .details {
      margin: 8px 0 10px;
    }
    .facts {
      width: 100%;
    }
    .bar {
      bottom: 4px;
      min-height: 0;
      padding-block: 3px;
      padding-inline-start: 16px;
      gap: 8px;
      text-wrap: balance;
    }
    .bar .quiet {
      padding-inline: 0.6em;
    }
  }
  @media (max-width: 560px), (max-width: 1100px) and (max-height: 500px) {
    .tight {
      inset-block: 8px auto;
      inset-inline: auto 8px;
      grid-auto-flow: column;
    }
  }
  /* On a phone in landscape, place the instruction beside the picture of the room. */
  @media (min-width: 561px) and (max-width: 1100px) and (max-height: 500px) {
    .bar {
      left: 8px;
      bottom: 8px;
      flex-wrap: wrap;
      max-width: min(17em, 33%);
      translate: none;
    }
  }
`;

/** Factor by which the buttons “Closer” and “Farther” zoom. */
const ZOOM = 1.35;

@customElement('watch-section')
export class WatchSection extends ui.HostElement {
  static override styles = watchStyle;

  @state() private tool: PointerTool = 'look';
  @state() private picked: OrganismId = 0;
  @state() private area: Rect | undefined;
  @query('live-view') private readonly live!: LiveView | null;

  protected override roomChanged(): void {
    this.useTool('look');
  }

  protected override section(summary: RoomSummary, { keeping }: HostState): TemplateResult {
    const { name, open } = summary;
    const remove = ({ detail }: CustomEvent<OrganismId>): unknown => this.removeOrganism(detail);
    const queues = html`<drawing-queue class="card"></drawing-queue>
      <report-queue class="card" @pick=${this.goTo} @remove=${remove}></report-queue>
      ${keeping === null ? nothing : html`<undo-card class="card"></undo-card>`}`;
    const organisms = html`<organism-list class="card" .model=${this.live?.model} .picked=${this.picked}
      @pick=${this.goTo} @remove=${remove}></organism-list>`;
    return html`<h2 class="visually-hidden">${msg(str`Watch “${name}”`)}</h2>
      <div class="view grid gap-12">${open ? this.picture(summary) : closed(name)}</div>
      <aside aria-label=${msg('Controls and visitors')}>
        ${open ? [pauseButton(summary), queues] : nothing}
        <visitor-list class="card"></visitor-list>
        <ban-list class="card"></ban-list>
        ${open ? organisms : nothing}
      </aside>`;
  }

  private picture(summary: RoomSummary): TemplateResult {
    const { tool, area, picked } = this;
    const { name, width, participants, waiting, organisms, pace } = summary;
    const inLine = waiting > 0 ? `, ${texts.inLineText(waiting)}` : '';
    const visitors = texts.visitorsText(participants) + inLine;
    return html`<div class="tools row spread">
        <div class="row gap-8" role="group" aria-label=${msg('Tools')}>
          ${this.toolButton('look', msg('Look'), icons.look)} ${this.toolButton('area', msg('Clear an area'), hostIcons.area)}
          ${this.toolButton('point', msg('Show a place'), hostIcons.point)}
        </div>
        ${ui.facts(visitors, organisms !== null && texts.organismsText(organisms), ui.paceFact(pace))}
        ${wallBar(summary)}
      </div>
      <div class="stage relative">
        <live-view class="fill" .room=${name} .tool=${tool} .picked=${picked} .area=${area}
          @model=${() => this.requestUpdate()}
          @pick=${({ detail }: CustomEvent<OrganismId>) => this.pick(detail)}
          @point=${({ detail }: CustomEvent<Point>) => this.spotlight(detail)}
          @area=${({ detail }: CustomEvent<Rect | undefined>) => (this.area = detail)}
          @area-ready=${this.clear}></live-view>
        <div class="tight over grid" role="group" aria-label=${msg('View')}>
          ${ui.iconButton(msg('Farther'), icons.farther, () => this.live?.zoom(1 / ZOOM))}
          ${ui.iconButton(msg('Closer'), icons.closer, () => this.live?.zoom(ZOOM))}
          ${ui.iconButton(msg('Show all'), icons.fit, () => this.live?.fit())}
        </div>
        ${tool === 'look' ? nothing : html`<div class="bar pill over flex" role="status">${this.instruction()}</div>`}
        ${tool === 'look' ? this.organismCard(width) : nothing}
      </div>`;
  }

  /** Renders a card about the selected organism. @param width width of the room, in cells */
  private organismCard(width: number): TemplateResult | typeof nothing {
    const model = this.live?.model;
    const organism = model?.organisms.get(this.picked);
    if (!organism || !model?.checkpoint) return nothing;
    const { id, kind, planter, born } = organism;
    const side = organism.x * 2 > width ? 'left' : '';
    const seconds = ((model.tick ?? 0) - born) / (model.room?.tickRate ?? 15);
    const life = [ageText(seconds), stateText(organism), survivedText(organism)].filter(Boolean);
    return html`<section class="organism card over ${side}" aria-label=${msg('Organism')} data-testid="organism">
      <header class="flex gap-14">
        ${kindTile(model.checkpoint, kind)}
        <div>
          <h3 class="capital">${texts.partNames(organism)}</h3>
          <p class="soft"><span class="who" style="--hue:${planter.hue}"></span>${texts.planterName(planter)}</p>
        </div>
      </header>
      <p class="details soft">${life.join(', ')}</p>
      <button class="danger" data-testid="remove" @click=${() => this.removeOrganism(id)}>${hostIcons.remove}${msg('Remove')}</button>
      <button class="icon close over" aria-label=${msg('Close')} @click=${() => (this.picked = 0)}>${icons.close}</button>
    </section>`;
  }

  private toolButton(tool: PointerTool, name: string, icon: TemplateResult): TemplateResult {
    return html`<button class="plain tool" data-testid="tool-${tool}" aria-pressed=${tool === this.tool} @click=${() => this.useTool(tool)}>${icon}${name}</button>`;
  }

  private instruction(): TemplateResult {
    const point = msg('Tap the place that everybody should look at.');
    const draw = msg('Draw a rectangle over what you want to remove.');
    if (!this.area) return html`<span>${this.tool === 'point' ? point : draw}</span>`;
    return html`<span>${texts.organismsText(this.organismsInArea())}</span>
      <button class="danger now" data-testid="clear" @click=${this.clear}>${msg('Clear this area')}</button>
      <button class="quiet" @click=${() => (this.area = undefined)}>${msg('Cancel')}</button>`;
  }

  private pick(organism: OrganismId): void {
    if (this.tool === 'point') this.useTool('look');
    else this.picked = organism;
  }

  private useTool(tool: PointerTool): void {
    this.tool = tool;
    this.area = undefined;
    this.picked = 0;
  }

  private spotlight(place: Point): void {
    this.useTool('look');
    const [x, y] = [Math.floor(place.x), Math.floor(place.y)];
    const done = msg(
      'Everybody is asked to look at this place. Visitors who are busy get a button that takes them there.',
    );
    void host.do('spotlight', { x, y }, { done });
  }

  private goTo({ detail }: CustomEvent<OrganismId>): void {
    this.tool = 'look';
    this.picked = detail;
    this.live?.show(detail);
  }

  private organismsInArea(): number {
    const planes = this.live?.model?.planes;
    return this.area && planes ? organismsIn(this.area, planes) : 0;
  }

  private async removeOrganism(id: OrganismId): Promise<void> {
    const { room } = host;
    const organism = this.live?.model?.organisms.get(id);
    const name = organism ? organismName(organism) : msg('Organism');
    const planter = organism?.planter.name && texts.planterName(organism.planter);
    const text = planter
      ? msg(str`This organism is removed for everyone. ${planter} planted it.`)
      : msg('This organism is removed for everyone.');
    const ask = { title: msg(str`Remove this organism: ${name}?`), text, confirm: msg('Remove') };
    const done = ({ command }: CallAnswer<'removeOrganism'>): Notice =>
      offerUndo(room, msg(str`Removed: ${name}.`), command);
    const answer = await host.do('removeOrganism', { organism: id }, { ask, done });
    if (answer && room === host.room && this.picked === id) this.picked = 0;
  }

  private async clear(): Promise<void> {
    const { area } = this;
    const { room } = host;
    if (!area) return;
    const inside = this.organismsInArea();
    const text = msg(
      str`Removes every organism that reaches into this area, for everyone. Organisms in this area right now: ${inside}.`,
    );
    const ask = { title: msg('Clear this area?'), text, confirm: msg('Clear') };
    const done = ({ removed, command }: CallAnswer<'clearArea'>): Notice =>
      offerUndo(room, msg(str`Removed: ${texts.organismsText(removed)}.`), command);
    const answer = await host.do('clearArea', { ...area }, { ask, done });
    if (answer && this.area === area) this.useTool('look');
  }
}

const closed = (name: string): TemplateResult =>
  html`<div class="shut middle centred card">
    <p>${msg(str`“${name}” is closed. Everything in the room is saved as it is.`)}</p>
    <button class="solid" @click=${() => host.do('openRoom', {})}>${msg('Open room')}</button>
  </div>`;

/**
 * Says what the walls show, with a button that returns the walls to the room. Renders nothing if
 * the walls show the room, or if no wall is connected.
 */
function wallBar({ walls: { showing, up } }: RoomSummary): TemplateResult | typeof nothing {
  const { now = 0, zone = 'UTC' } = host.state ?? {};
  if (!showing || up === 0) return nothing;
  const until = texts.clock(now + showing.left, zone);
  const text =
    showing.what === 'film'
      ? msg(str`The walls show a film until ${until}.`)
      : msg(str`The walls show this place until ${until}.`);
  return html`<div class="showing pill lit wrap spread centre" role="status" data-testid="walls-show">
    <span>${text}</span>
    <button class="plain" data-testid="show-room" @click=${() => host.do('showRoom', {})}>${msg('Show the room again')}</button>
  </div>`;
}

function pauseButton({ settings: { paused } }: RoomSummary): TemplateResult {
  const done = paused
    ? msg('Visitors can act again.')
    : msg('Visitors are paused, but the room keeps running.');
  const [name, about] = paused
    ? [msg('Resume'), msg('Visitors can only watch right now.')]
    : [msg('Pause visitors'), msg('Visitors can watch, but not act.')];
  const toggle = () => host.change({ paused: !paused }, done);
  return html`<button class="pause flex ${paused ? 'paused' : ''}" data-testid="pause" @click=${toggle}>
    ${paused ? hostIcons.go : hostIcons.pause}
    <span><b>${name}</b> <small>${about}</small></span>
  </button>`;
}
