/**
 * Draws a room on a canvas. Owns all GPU resources, and creates them again after the GPU context
 * was lost.
 */
import type { Planes } from '../../shared/codec/chunks.ts';
import type { Rect } from '../../shared/geometry.ts';
import type { FlashLimit } from '../../shared/vocabulary.ts';
import type { Camera, Size } from './camera.ts';
import { type Arrival, CellTextures } from './cell-textures.ts';
import type { Current } from './current.ts';
import { FlashSafeScreen } from './flash-guard.ts';
import { UnfinishedPictures } from './frame-pacing.ts';
import { bindTextures, createAllPrograms, GlError, type Programs } from './gl.ts';
import type { Light } from './light.ts';
import { type MarkList, MarkPainter, type View } from './marks.ts';
import type { RoomPaint } from './paint/scene-paint.ts';
import { SCENE_ROWS } from './shaders/scene.ts';

/**
 * Time after which the page is reloaded if the browser has not restored a lost GPU context, in ms.
 */
const LOST = 15_000;
/**
 * If the GPU context is lost, the page reloads only once the page is this old, in ms. Otherwise, it
 * might reload again and again.
 */
const LEAST_AGE = 60_000;

export interface CanvasStyle {
  /** Whether the canvas is transparent where there are no organisms. */
  readonly isClear?: boolean;
  /** Called if the browser does not restore a lost GPU context. Default: the page reloads. */
  readonly renew?: () => void;
}

export interface Picture {
  readonly camera: Camera;
  /** Size of the view, in CSS pixels. */
  readonly view: Size;
  readonly crisp: boolean;
  /** How far the picture is desaturated, 0…1. */
  readonly faded: number;
  /**
   * Ids of the organisms to highlight: the selected one, the one under the pointer, and the
   * organism chosen as the second parent of a new seed. An id of 0 highlights nothing.
   */
  readonly highlights: Readonly<Record<'selected' | 'hovered' | 'second', number>>;
  /**
   * The area of the whole display, in CSS pixels, relative to this canvas; undefined if the canvas
   * fills the display.
   */
  readonly whole?: Rect;
  /** Current time of the breathing animation, in seconds; 0 if organisms do not move. */
  readonly breath: number;
  readonly field: Pick<Current, 'rows'>;
  readonly light: Light;
  /**
   * Current time of the animation of floating particles, see `driftAt`; undefined if the particles
   * do not move.
   */
  readonly time?: number;
  readonly marks: MarkList;
  /**
   * Whether the camera has moved since the previous frame. Changes that the camera causes are not
   * flashes.
   */
  readonly panned?: boolean;
  /** Maximum number of flashes per second over a large area. */
  readonly flashLimit: FlashLimit;
}

/**
 * Draws a room on a canvas, one frame per call of `draw`. Call `dispose` before removing the
 * canvas.
 */
export class Renderer {
  readonly gl: WebGL2RenderingContext;
  /** Paints cells; undefined until a painter has loaded, and after the GPU context was lost. */
  paint: RoomPaint | undefined;
  /** The planes uploaded last: the colours and owners of all cells. */
  planes: Planes | undefined;
  private field: CellTextures | undefined;
  private screen!: FlashSafeScreen;
  private programs!: Programs;
  private painter!: MarkPainter;
  private sheet: Parameters<MarkPainter['setSheet']> | undefined;
  private masked = '';
  /** The scene's uniforms, in the order that its shader expects. */
  private readonly rows = new Float32Array(4 * SCENE_ROWS);
  /** Frames that the GPU has not finished drawing. */
  unfinished!: UnfinishedPictures;
  private readonly left = new AbortController();
  private lost: ReturnType<typeof setTimeout> | undefined;

  /** @throws GlError if this browser has no WebGL2 */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    onRestored: () => void,
    private readonly style: CanvasStyle = {},
  ) {
    const gl = canvas.getContext('webgl2', {
      alpha: style.isClear === true,
      antialias: false,
      depth: false,
      powerPreference: 'high-performance',
    });
    if (!gl) throw new GlError('no WebGL2');
    this.gl = gl;
    this.create();
    const { signal } = this.left;
    const lost = (event: Event): void => {
      event.preventDefault();
      const due = Math.max(LOST, LEAST_AGE - performance.now());
      const { renew = () => location.reload() } = style;
      this.lost = setTimeout(renew, due);
    };
    canvas.addEventListener('webglcontextlost', lost, { signal });
    const restored = (): void => {
      clearTimeout(this.lost);
      this.create();
      onRestored();
    };
    canvas.addEventListener('webglcontextrestored', restored, { signal });
  }

  /** Releases all GPU resources. Another renderer may then use the canvas. */
  dispose(): void {
    this.left.abort();
    clearTimeout(this.lost);
    this.paint?.dispose();
    this.field?.dispose();
    this.field = undefined;
    this.painter.dispose();
    this.screen.dispose();
    for (const { program } of Object.values(this.programs)) this.gl.deleteProgram(program);
    this.unfinished.dispose();
  }

  /**
   * Uploads the cells of a new tick to the GPU.
   *
   * @param changed areas in which the cells differ from the previous tick
   */
  upload(planes: Planes, changed: readonly Rect[], arrival: Arrival): void {
    this.planes = planes;
    if (this.gl.isContextLost()) return;
    if (this.field?.width !== planes.width || this.field.height !== planes.height) {
      this.createField(planes);
    } else {
      this.field.upload(planes, changed, arrival);
      this.masked = '';
    }
    this.paint?.changed(planes, changed, this.until);
  }

  /** Time at which the last cell finishes its transition to the newest tick, in ms. */
  get until(): number {
    return this.field?.until ?? 0;
  }

  setSheet(image: HTMLImageElement, columns: number): void {
    this.sheet = [image, columns];
    this.painter.setSheet(image, columns);
  }

  /**
   * Draws one frame.
   *
   * @param ratio device pixels per CSS pixel
   * @param now current time, in ms
   * @returns whether the frame was softened to prevent flashes. If so, another frame must follow
   */
  draw(picture: Picture, ratio: number, now: number): boolean {
    const { gl, canvas, field } = this;
    if (!field || gl.isContextLost()) return false;
    const width = Math.max(1, Math.round(picture.view.width * ratio));
    const height = Math.max(1, Math.round(picture.view.height * ratio));
    if (canvas.width !== width || canvas.height !== height)
      Object.assign(canvas, { width, height });
    field.blend(now);
    const { selected, hovered, second } = picture.highlights;
    const masked = `${selected} ${hovered} ${second}`;
    if (masked !== this.masked) field.select(selected, hovered, second);
    this.masked = masked;

    const { camera } = picture;
    const pixel = 1 / camera.zoom;
    const scale = (picture.view.width / width) * pixel;
    const view: View = {
      ...{ width, height, scale, pixel },
      originX: camera.x - (width / 2) * scale,
      originY: camera.y - (height / 2) * scale,
    };
    const painted = this.paint?.begin(field.textures, view, now, picture.crisp);

    const { flashLimit: limit, panned = false } = picture;
    const framebuffer = this.screen.begin({ width, height }, now, limit, panned);
    gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
    gl.viewport(0, 0, width, height);
    this.drawScene(field, picture, view, painted);
    this.painter.draw(picture.marks, view, picture.field.rows);
    const isSoft = this.screen.end();
    this.unfinished.add(now);
    return isSoft;
  }

  private drawScene(
    field: CellTextures,
    picture: Picture,
    view: View,
    scene = this.programs.scene,
  ): void {
    const { gl } = this;
    const { crisp, faded, highlights, breath, light, time = 0 } = picture;
    const { x, y, width, height } = picture.whole ?? { x: 0, y: 0, ...picture.view };
    const ratio = view.width / picture.view.width;
    gl.disable(gl.BLEND);
    gl.useProgram(scene.program);
    bindTextures(gl, scene, field.textures);
    const { selected, hovered, second } = highlights;
    const marked = [selected, hovered, second].map((id) => +(id > 0));
    this.rows.set([field.width, field.height, view.width, view.height]);
    this.rows.set([view.originX, view.originY, view.scale, +crisp], 4);
    this.rows.set([x * ratio, y * ratio, width * ratio, height * ratio], 8);
    this.rows.set([faded, time, breath, +(this.style.isClear === true), ...marked], 12);
    gl.uniform4fv(scene.uniform('uRows'), this.rows);
    gl.uniform4fv(scene.uniform('uField'), picture.field.rows);
    gl.uniform3fv(scene.uniform('uLight'), light);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  private create(): void {
    this.paint?.dispose();
    this.field = this.paint = undefined;
    this.unfinished = new UnfinishedPictures(this.gl);
    this.programs = createAllPrograms(this.gl);
    this.painter = new MarkPainter(this.gl, this.programs.marks);
    this.screen = new FlashSafeScreen(this.gl, this.programs, this.style.isClear);
    if (this.sheet) this.painter.setSheet(...this.sheet);
    if (this.planes) this.createField(this.planes);
  }

  private createField(planes: Planes): void {
    this.field?.dispose();
    this.field = new CellTextures(this.gl, this.programs, planes.width, planes.height);
    const all = [{ x: 0, y: 0, width: planes.width, height: planes.height }];
    this.field.upload(planes, all, { now: 0, tick: 0, atOnce: all });
    this.masked = '';
  }
}
