/**
 * A map of the gallery's creatures. Similar creatures are close to each other. Every point of the
 * map stands for a seed: a blend of the creatures near that point.
 */
import { msg } from '@lit/localize';
import { css, html, nothing, type PropertyValues, svg, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import {
  type MapPlaces,
  type MapPoint,
  type MapWeight,
  weightsAt,
} from '../../../shared/latent-map.ts';
import type { SeedSource } from '../../../shared/protocol/commands.ts';
import { tileStyle } from '../../elements/icons.ts';
import { byPointer } from '../../elements/text.ts';
import { arrowMove } from '../../input/keyboard.ts';
import { fire, solid, VisitorElement } from '../elements/page-element.ts';
import type { RoomSession } from '../room-session.ts';
import { betweenText } from './seed-tray.ts';

/**
 * The map's place on the screen, with functions that convert between map coordinates (0 to 1) and
 * screen coordinates (CSS pixels).
 */
type MapProjection = ReturnType<typeof mapProjectionOf>;

/**
 * Factor for the side length of the pictures. At 1, their areas would add up to the map's area.
 * Pictures may overlap, because they are mostly empty.
 */
const OVERLAP = 1.25;

/** Fits the map into an area of `width` × `height` CSS pixels. */
export function mapProjectionOf(places: readonly MapPoint[], width: number, height: number) {
  const [xs, ys] = [places.map(({ x }) => x), places.map(({ y }) => y)];
  const [right, bottom] = [Math.max(...xs), Math.max(...ys)];
  const count = Math.max(1, places.length);
  // Leave space for half a picture at each edge of the map.
  const share = Math.sqrt((Math.max(right, 0.01) * Math.max(bottom, 0.01)) / count) * OVERLAP;
  const scale = Math.min(width / (right + share), height / (bottom + share));
  const left = (width - scale * right) / 2;
  const top = (height - scale * bottom) / 2;
  return {
    width,
    height,
    /** Width and height of a creature's picture, in CSS pixels. */
    tile: Math.min(64, share * scale),
    middle: { x: right / 2, y: bottom / 2 },
    toScreen: ({ x, y }: MapPoint): MapPoint => ({ x: left + x * scale, y: top + y * scale }),
    /** Converts a screen position to map coordinates. The result may be outside 0 to 1. */
    toMap: (x: number, y: number): MapPoint => ({ x: (x - left) / scale, y: (y - top) / scale }),
  };
}

/** Maximum number of nearby creatures named in the text about the selected point. */
const MAX_NAMES = 3;
/** Distance by which an arrow key moves the selected point, as a share of the map's side. */
const KEY_STEP = 0.012;
/**
 * The coordinates of the selected point are rounded to multiples of 1/`STEPS`, so that neighbouring
 * points share a cached preview.
 */
const STEPS = 512;

/**
 * The map of the gallery. Fires `take` (`detail`: SeedSource) when the visitor takes the seed at
 * the selected point.
 */
@customElement('latent-map')
export class LatentMap extends VisitorElement {
  static override styles = css`
    :host {
      display: grid;
      grid-template-rows: minmax(0, 1fr) auto;
      gap: 12px;
      min-height: 0;
    }
    .map {
      position: relative;
      min-height: 0;
      border-radius: 22px;
      overflow: hidden;
      background: radial-gradient(circle at 50% 45%, oklch(0.19 0.014 215), oklch(0.13 0.01 230));
      box-shadow: inset 0 0 0 1px var(--line);
    }
    canvas {
      touch-action: none;
      cursor: crosshair;
      border-radius: 22px;
      transition: opacity 0.25s;
    }
    canvas.dim {
      opacity: 0.5;
    }
    svg {
      stroke-width: 1.5;
    }
    .ray {
      stroke: var(--accent);
    }
    .spot {
      fill: var(--accent);
      stroke: oklch(0.13 0.01 230);
    }
    .bubble {
      translate: -50% -50%;
      background: radial-gradient(circle at 50% 46%, oklch(0.3 0.02 190 / 0.96), oklch(0.14 0.01 230 / 0.96));
      box-shadow:
        inset 0 0 0 1.5px oklch(0.89 0.075 168 / 0.55),
        0 12px 34px oklch(0 0 0 / 0.5);
    }
    .bubble seed-film {
      inset: 13%;
    }
    footer {
      gap: 14px;
      min-height: 3.4em;
      padding-bottom: 4px;
      padding-inline: 6px 4px;
    }
    footer p {
      text-wrap: balance;
    }
    footer button {
      flex: none;
      min-height: 3em;
      font-size: 1.07em;
    }
    @media (max-width: 299px) {
      footer {
        flex-direction: column;
        align-items: stretch;
        gap: 4px;
      }
    }
    @media (min-aspect-ratio: 11/10) {
      :host {
        grid-template: minmax(0, 1fr) / minmax(0, 1fr) var(--side);
      }
      footer {
        flex-direction: column;
        align-items: stretch;
        min-height: 0;
        padding: calc(var(--head) + 8px) 0 0;
        overflow-y: auto;
      }
      footer p {
        padding-inline-start: 6px;
      }
    }
  `;

  /** The visitor's session. Changes of its data do not render the map again. */
  @property({ attribute: false }) session!: RoomSession;
  /** Whether the host offers the whole gallery, not only the featured creatures. */
  @property({ attribute: false }) whole: boolean | undefined;
  @state() private places: MapPlaces = [];
  @state() private failed = false;
  @state() private spot: MapPoint | undefined;
  @state() private chart: MapProjection | undefined;
  @query('canvas') private readonly canvas!: HTMLCanvasElement;
  private sheet: HTMLImageElement | undefined;
  private seed: (SeedSource & { from: 'map' }) | undefined;

  override async firstUpdated(): Promise<void> {
    new ResizeObserver(() => this.layout()).observe(this.canvas);
    const { held } = this.session.state.state;
    if (held.from === 'map') this.select(held);
    const image = new Image();
    image.src = this.checkpoint.sheet.url;
    try {
      const [places] = await Promise.all([
        fetchPlaces(`${this.checkpoint.map}${this.whole ? '?whole' : ''}`),
        image.decode(),
      ]);
      this.places = places;
      this.sheet = image;
      this.layout();
      this.canvas.focus();
    } catch {
      this.failed = true;
    }
  }

  private get checkpoint() {
    return this.session.model.checkpoint!;
  }

  override render(): TemplateResult {
    const { spot, seed } = this;
    const near = spot ? weightsAt(this.places, spot) : [];
    const names = near
      .filter(({ share }) => share > 0.12)
      .slice(0, MAX_NAMES)
      .map(({ index }) => this.checkpoint.gallery[index].name);
    const text = betweenText(names);
    return html`<div class="map">
        <canvas
          class="fill ${spot ? 'dim' : ''}"
          tabindex="0"
          role="application"
          data-testid="map"
          aria-label=${msg('Map of creatures. Arrow keys move, Enter takes the creature that grows there.')}
          @pointerdown=${this.down}
          @pointermove=${this.move}
          @keydown=${this.key}
        ></canvas>
        ${spot && this.chart ? this.overlay(spot, near, this.chart) : nothing}
      </div>
      <footer class="flex spread">
        <p class="soft capital shrinks" role="status" data-testid="between">
          ${this.failed ? msg('The map could not be loaded.') : text || byPointer(msg('Tap between two creatures.'), msg('Click between two creatures.'))}
        </p>
        ${solid('take-spot', msg('Take it'), this.take, !seed)}
      </footer>`;
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('places') || changed.has('chart')) this.draw();
  }

  /**
   * Renders lines from the selected point to the creatures that are blended at this point. Also
   * renders a preview of the blend, above or below the point.
   */
  private overlay(spot: MapPoint, near: readonly MapWeight[], chart: MapProjection) {
    const at = chart.toScreen(spot);
    const { width, height } = chart;
    const em = Number.parseFloat(getComputedStyle(this).fontSize);
    const radius = Math.min(4.3 * em, 0.24 * Math.min(width, height));
    const side = at.y > 2 * radius + 30 ? -1 : 1;
    const x = Math.max(radius + 6, Math.min(width - radius - 6, at.x));
    const y = Math.max(radius + 6, Math.min(height - radius - 6, at.y + side * (radius + 34)));
    return html`<svg class="fill ghost" viewBox="0 0 ${width} ${height}" aria-hidden="true">
        ${near.map(({ index, share }) => {
          const to = chart.toScreen(this.places[index]!);
          const ring = chart.tile * 0.62;
          return svg`<line class="ray" x1=${at.x} y1=${at.y} x2=${to.x} y2=${to.y} opacity=${0.15 + share} />
            <circle class="ray" cx=${to.x} cy=${to.y} r=${ring} fill="none" opacity=${0.25 + share} />`;
        })}
        <circle class="spot" cx=${at.x} cy=${at.y} r="6" />
      </svg>
      ${near.map(({ index }) => this.highlight(index, chart))}
      <div class="bubble over round ghost" style="left:${x}px;top:${y}px;width:${2 * radius}px;height:${2 * radius}px">
        <seed-film class="over" .previews=${this.session.previews} .seed=${this.seed}></seed-film>
      </div>`;
  }

  /** Renders one of the blended creatures at full brightness over the dimmed map. */
  private highlight(index: number, { tile, toScreen }: MapProjection): TemplateResult {
    const { x, y } = toScreen(this.places[index]!);
    const place = `left:${x - tile / 2}px;top:${y - tile / 2}px;width:${tile}px;height:${tile}px`;
    return html`<i class="over ghost" style="${place};${tileStyle(this.checkpoint, index)}"></i>`;
  }

  private layout(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (this.places.length > 0 && width > 0)
      this.chart = mapProjectionOf(this.places.filter(Boolean) as MapPoint[], width, height);
  }

  private draw(): void {
    const { canvas, chart, sheet, places } = this;
    if (!chart || !sheet) return;
    const ratio = Math.min(2, devicePixelRatio);
    canvas.width = Math.round(chart.width * ratio);
    canvas.height = Math.round(chart.height * ratio);
    const context = canvas.getContext('2d');
    if (!context) return;
    context.scale(ratio, ratio);
    context.imageSmoothingQuality = 'high';
    const { columns } = this.checkpoint.sheet;
    const side = sheet.naturalWidth / columns;
    places.forEach((place, index) => {
      if (!place) return;
      const { x, y } = chart.toScreen(place);
      const [sx, sy] = [(index % columns) * side, Math.floor(index / columns) * side];
      const half = chart.tile / 2;
      context.drawImage(sheet, sx, sy, side, side, x - half, y - half, chart.tile, chart.tile);
    });
  }

  private select({ x, y }: MapPoint): void {
    const rounded = (value: number): number =>
      Math.round(Math.max(0, Math.min(1, value)) * STEPS) / STEPS;
    const spot = { x: rounded(x), y: rounded(y) };
    if (spot.x === this.spot?.x && spot.y === this.spot.y) return;
    this.spot = spot;
    this.seed = { from: 'map', ...spot, ...(this.whole && { whole: true }) };
  }

  private down(event: PointerEvent): void {
    this.canvas.setPointerCapture(event.pointerId);
    this.point(event);
  }

  private move(event: PointerEvent): void {
    if (event.buttons !== 0) this.point(event);
  }

  private point({ clientX, clientY }: PointerEvent): void {
    if (!this.chart) return;
    const { left, top } = this.canvas.getBoundingClientRect();
    this.select(this.chart.toMap(clientX - left, clientY - top));
  }

  private key(event: KeyboardEvent): void {
    if (event.key === 'Enter' && this.seed) {
      event.preventDefault();
      this.take();
      return;
    }
    const move = arrowMove(event, KEY_STEP);
    if (!move || !this.chart) return;
    event.preventDefault();
    const from = this.spot ?? this.chart.middle;
    this.select({ x: from.x + move.x, y: from.y + move.y });
  }

  private take(): void {
    fire(this, 'take', this.seed);
  }
}

/**
 * Fetches the positions of the gallery's creatures on the map.
 *
 * @throws Error if the request fails
 */
async function fetchPlaces(url: string): Promise<MapPlaces> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`map: ${response.status}`);
  const places = (await response.json()) as ([number, number] | null)[];
  return places.map((place) => place && { x: place[0], y: place[1] });
}
