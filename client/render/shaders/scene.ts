/** Shader of the scene: draws the living cells and the water around them in one pass. */
import { CURRENT } from '../current.ts';
import { LIGHTS } from '../light.ts';

/**
 * The time for the breathing movement restarts at 0 after this period, in seconds. Larger times
 * would be imprecise as 32-bit floats.
 */
export const BREATH = 3600;
/**
 * The time for the floating particles restarts at 0 after this period, in seconds. At the restart,
 * the particles are invisible.
 */
const DRIFT = 7200;
/**
 * Returns the time for the floating particles, in seconds, from 0 to `DRIFT`.
 *
 * @param now current time, in ms
 */
export const driftAt = (now: number): number => (now / 1000 + DRIFT / 2) % DRIFT;

const GROUND = `
float hash(vec2 p) {
  vec3 q = fract(vec3(p.xyx) * 0.1031);
  q += dot(q, q.yzx + 33.33);
  return fract((q.x + q.y) * q.z);
}
float noise(vec2 p) {
  vec2 i = floor(p), f = fract(p);
  f = f * f * (3.0 - 2.0 * f);
  return mix(mix(hash(i), hash(i + vec2(1, 0)), f.x),
             mix(hash(i + vec2(0, 1)), hash(i + vec2(1, 1)), f.x), f.y);
}
float roundBox(vec2 p, vec2 halfSize, float r) {
  vec2 q = abs(p) - halfSize + r;
  return length(max(q, 0.0)) + min(max(q.x, q.y), 0.0) - r;
}
/* Floating particles: blurred dots that move slowly. */
float motes(vec2 p, float size, float seed) {
  vec2 q = p / size + vec2(0.011, -0.007) * uTime * (1.0 + seed);
  vec2 home = floor(q);
  vec2 h = vec2(hash(home + seed), hash(home + seed + 17.3));
  vec2 at = home + 0.5 + 0.28 * sin(uTime * (0.05 + 0.07 * h) + 40.0 * h);
  float r = 0.05 + 0.11 * h.x * h.y;
  float d = distance(q, at) / r;
  return step(0.45, h.y) * (0.35 + 0.65 * h.x) * (1.0 - smoothstep(0.35, 1.0, d)) * (0.7 + 0.5 * smoothstep(0.5, 0.9, d));
}
/*
 * Draws the water, lit from above. g: position, in cells. d: displacement by the water current, in
 * cells. edge: signed distance to the edge of the grid, in cells. ppc: device pixels per cell.
 */
vec3 ground(vec2 g, vec2 d, float edge, float ppc) {
  vec2 screen = (vec2(gl_FragCoord.x, uView.y - gl_FragCoord.y) - uWhole.xy) / uWhole.zw - 0.5;
  vec2 off = (g - vec2(0.38, 0.05) * uGrid) / min(uGrid.x, uGrid.y);
  float high = 1.0 - clamp(g.y / uGrid.y, 0.0, 1.0);
  float clouds = 0.68 * noise(g * 0.021) + 0.16 + 0.16 * sin(0.071 * g.x + 2.0 * sin(0.053 * g.y)) * sin(0.083 * g.y - 0.031 * g.x);
  float lit = 0.58 * exp(-0.9 * dot(off, off)) + 0.46 * high * high + 0.30 * (clouds - 0.5);
  lit = clamp(0.14 + 0.92 * lit, 0.0, 1.0);
  vec3 c = mix(uLight[0], uLight[1], lit);
  vec2 w = 0.085 * g + 1.2 * clouds + 0.3 * d;
  w += sin(1.31 * w.yx + vec2(0.7, 2.1));
  w += 0.7 * sin(1.73 * w.yx + vec2(3.9, 1.3));
  vec2 u = mat2(0.13, 0.06, -0.06, 0.13) * g - 0.5 * d;
  u += 1.1 * sin(1.2 * u.yx + vec2(0.5 * w.x, 2.0));
  float net = (1.0 - 0.5 * abs(sin(w.x) + sin(w.y))) * (1.0 - 0.5 * abs(sin(u.x) + sin(u.y)));
  float fan = 14.0 * (g.x - 0.35 * uGrid.x) / (g.y + 0.9 * uGrid.y) + 0.2 * d.x;
  float shafts = smoothstep(0.1, 0.9, sin(2.3 * fan) * sin(3.7 * fan + 1.3));
  c += uLight[2] * (0.50 * net * net * lit + 0.18 * shafts * high * sqrt(high));
  float close = smoothstep(4.0, 9.0, ppc);
  if (close > 0.0) {
    vec2 z = 2.3 * u + 0.9 * w.yx - 0.4 * d;
    z += 0.9 * sin(1.3 * z.yx + vec2(1.9, 0.4));
    float fine = 1.0 - 0.5 * abs(sin(z.x) + sin(z.y));
    c += uLight[2] * (0.34 * close * lit * fine * fine * fine * fine * net);
  }
  c *= 1.0 + 0.05 * sin(3.7 * u.x + w.y) * sin(4.1 * u.y - w.x);
  /* Distant water is hazy, so reduce the contrast. */
  c = mix(c, mix(uLight[0], uLight[1], 0.5), 0.15);
  float fade = uTime > 0.0 ? min(1.0, 0.2 * min(uTime, ${DRIFT}.0 - uTime)) : 1.0;
  c += fade * (0.4 + 0.6 * lit) * (0.30 * motes(g + 0.5 * d, 13.0, 3.0) + 0.24 * motes(g + 0.9 * d, 6.5, 8.0)) * uLight[1];
  float lines = smoothstep(18.0, 34.0, ppc);
  if (lines > 0.0) {
    vec2 line = abs(fract(g + 0.5) - 0.5) * ppc;
    c += lines * 0.020 * (1.0 - smoothstep(0.4, 1.2, min(line.x, line.y)));
  }
  c = mix(c, 0.62 * uLight[0], smoothstep(-9.0, 20.0, edge) * 0.9);
  return c * (1.0 - 0.42 * smoothstep(0.30, 0.78, length(screen)));
}`;

const SAMPLING = `
vec4 catmullRom(sampler2D map, vec2 p) {
  vec2 c = floor(p - 0.5) + 0.5;
  vec2 f = p - c;
  vec2 w0 = f * (-0.5 + f * (1.0 - 0.5 * f));
  vec2 w1 = 1.0 + f * f * (-2.5 + 1.5 * f);
  vec2 w2 = f * (0.5 + f * (2.0 - 1.5 * f));
  vec2 w3 = f * f * (-0.5 + 0.5 * f);
  vec2 w12 = w1 + w2;
  vec2 a = (c - 1.0) / uGrid, b = (c + w2 / w12) / uGrid, d = (c + 2.0) / uGrid;
  vec4 top = texture(map, vec2(a.x, a.y)) * w0.x + texture(map, vec2(b.x, a.y)) * w12.x + texture(map, vec2(d.x, a.y)) * w3.x;
  vec4 mid = texture(map, vec2(a.x, b.y)) * w0.x + texture(map, vec2(b.x, b.y)) * w12.x + texture(map, vec2(d.x, b.y)) * w3.x;
  vec4 low = texture(map, vec2(a.x, d.y)) * w0.x + texture(map, vec2(b.x, d.y)) * w12.x + texture(map, vec2(d.x, d.y)) * w3.x;
  return top * w0.y + mid * w12.y + low * w3.y;
}
vec4 spline(sampler2D map, vec2 p, vec2 size) {
  vec2 c = floor(p - 0.5) + 0.5;
  vec2 f = p - c;
  vec2 g = 1.0 - f;
  vec2 w0 = g * g * g / 6.0;
  vec2 w1 = (4.0 - 6.0 * f * f + 3.0 * f * f * f) / 6.0;
  vec2 w3 = f * f * f / 6.0;
  vec2 w2 = 1.0 - w0 - w1 - w3;
  vec2 s0 = w0 + w1, s1 = w2 + w3;
  vec2 p0 = (c - 1.0 + w1 / s0) / size, p1 = (c + 1.0 + w3 / s1) / size;
  return mix(mix(texture(map, p1), texture(map, vec2(p0.x, p1.y)), s0.x),
             mix(texture(map, vec2(p1.x, p0.y)), texture(map, p0), s0.x), s0.y);
}
/* Border between two organisms that touch. */
struct Border {
  float line;     /* falls from 1 on the border to 0 a third of a cell away */
  float foreign;  /* share of the cells nearby that belong to the other organism */
  vec4 own;       /* mean colour of the cells nearby that belong to this organism */
};
Border border(vec2 p) {
  Border b = Border(0.0, 0.0, vec4(0.0));
  ivec2 top = ivec2(uGrid) - 1;
  uvec2 here = texelFetch(uTerritory, clamp(ivec2(floor(p)), ivec2(0), top), 0).rg;
  if (here.g == 0u) return b;
  vec2 c = floor(p - 0.5);
  vec2 f = p - 0.5 - c;
  vec2 g = 1.0 - f;
  vec2 w[4] = vec2[4](g * g * g / 6.0, (4.0 - 6.0 * f * f + 3.0 * f * f * f) / 6.0,
                      (4.0 - 6.0 * g * g + 3.0 * g * g * g) / 6.0, f * f * f / 6.0);
  uint mine = here.r, other = 0u;
  float share = 0.0, others = 0.0;
  for (int pass = 0; pass < 2; pass++) {
    share = 0.0; others = 0.0;
    float foreign = 0.0, weight = 0.0;
    vec4 own = vec4(0.0);
    for (int j = 0; j < 4; j++) {
      for (int i = 0; i < 4; i++) {
        ivec2 q = clamp(ivec2(c) + ivec2(i - 1, j - 1), ivec2(0), top);
        float v = w[i].x * w[j].y;
        uint ground = texelFetch(uTerritory, q, 0).r;
        uint id = texelFetch(uOwner, q, 0).r;
        if (ground == mine) share += v;
        else if (ground != 0u) { others += v; if (other == 0u) other = ground; }
        if (id == mine) { own += v * texelFetch(uCells, q, 0); weight += v; }
        else if (id != 0u) foreign += v;
      }
    }
    b.foreign = foreign;
    b.own = own / max(weight, 0.001);
    /*
     * If more positions nearby belong to the other organism, swap the two organisms, and repeat the
     * loop.
     */
    if (others <= share || other == 0u) break;
    uint swap = mine; mine = other; other = swap;
  }
  b.line = 1.0 - smoothstep(0.06, 0.42, abs(share - others));
  return b;
}`;

const CELLS = `
/*
 * At high zoom, draws a swaying biological cell at each grid position. Each cell sways a whole
 * number of times before uBreath restarts at 0, so the restart is invisible.
 */
vec3 cells(vec2 p, vec3 c, float close, float parted) {
  vec2 home = floor(p);
  float first = 9.0, second = 9.0;
  vec2 mine = home, kernel = p;
  for (int j = -1; j <= 1; j++) {
    for (int i = -1; i <= 1; i++) {
      vec2 cell = home + vec2(i, j);
      vec2 h = vec2(hash(cell), hash(cell + 31.7));
      vec2 at = cell + 0.5 + 0.62 * (h - 0.5) + 0.07 * sin(uBreath * (6.28319 / ${BREATH}.0) * floor(229.0 + 286.0 * h.yx) + 40.0 * h);
      float d = distance(p, at);
      if (d < first) { second = first; first = d; mine = cell; kernel = at; } else if (d < second) second = d;
    }
  }
  vec4 own = texelFetch(uCells, ivec2(clamp(mine, vec2(0.0), uGrid - 1.0)), 0);
  c = mix(c, own.rgb / max(own.a, 0.02), 0.30 * close * (1.0 - parted) * smoothstep(0.4, 0.8, own.a));
  /* Darken the walls between cells, light each cell from the upper left, and draw its nucleus. */
  float gap = second - first;
  float wall = 1.0 - smoothstep(0.0, 0.30, gap);
  vec2 off = p - kernel;
  float body = dot(off, vec2(-0.55, -0.83));
  float kern = 1.0 - smoothstep(0.07, 0.27, length(off + 0.10 * (hash(mine + 5.1) - 0.5)));
  float tone = 0.95 + 0.10 * hash(mine + 11.3);
  vec3 deep = c * (0.42 + 0.40 * c);
  vec3 cell = c * tone * (1.0 + 0.20 * body) + 0.05 * smoothstep(0.12, 0.42, gap) * c;
  cell = mix(cell, deep, 0.58 * wall * wall);
  cell = mix(cell, deep, 0.20 * kern);
  return mix(c, cell, close);
}
/*
 * Smooth style: draws cells as tissue with a soft outline, lit from the upper left. Returns a
 * premultiplied colour.
 */
vec4 tissue(vec2 p, float ppc) {
  vec4 round_ = spline(uCells, p, uGrid);
  if (round_.a < 0.012) return vec4(0.0);
  vec4 sharp = catmullRom(uCells, p);
  vec4 s = mix(round_, sharp, 0.72);
  float height = texture(uTight, p / uGrid).a;
  float a = clamp(mix(round_.a, sharp.a, 0.5), 0.0, 1.0);
  vec3 c = clamp(s.rgb / max(s.a, 0.02), 0.0, 1.0);
  Border border_ = border(p);
  float parted = smoothstep(0.0, 0.22, border_.foreign) * step(0.01, border_.own.a);
  c = mix(c, clamp(border_.own.rgb / max(border_.own.a, 0.02), 0.0, 1.0), parted);
  a = mix(a, max(a, min(1.0, 1.25 * height)), max(parted, border_.line));
  /* Hide isolated cells. */
  a *= smoothstep(0.10, 0.30, height);

  float soft = mix(0.30, 0.17, smoothstep(5.0, 26.0, ppc));
  float body = smoothstep(0.46 - soft, 0.46 + soft, a);
  float alpha = mix(body, a, 0.16);

  vec2 o = vec2(0.9, 0.0);
  vec2 slope = vec2(
    texture(uTight, (p + o.xy) / uGrid).a - texture(uTight, (p - o.xy) / uGrid).a,
    texture(uTight, (p + o.yx) / uGrid).a - texture(uTight, (p - o.yx) / uGrid).a);
  float lit = dot(slope, vec2(0.55, 0.83));
  float rim = 1.0 - smoothstep(0.50, 0.97, height);
  c *= 1.0 + 0.34 * lit;
  c += rim * max(lit, 0.0) * vec3(0.34, 0.36, 0.34);
  c = mix(c, c * c * 1.05, rim * 0.45 * smoothstep(0.05, -0.5, lit));
  /* Mix in blurred colour, because light scatters inside wet tissue. */
  vec4 deep = texture(uWide, p / uGrid);
  c = mix(c, deep.rgb / max(deep.a, 0.05), 0.06);
  float close = smoothstep(2.6, 8.4, ppc);
  if (close > 0.0) c = cells(p, c, close, parted);
  c = mix(c, c * (0.18 + 0.30 * c), 0.80 * border_.line * smoothstep(0.3, 0.7, height));
  return vec4(c * alpha, alpha);
}
/* Crisp style: draws cells as plain squares, with thin gaps between large squares. */
vec4 lattice(vec2 p, float ppc) {
  vec4 s = texelFetch(uCells, ivec2(clamp(p, vec2(0.0), uGrid - 1.0)), 0);
  float apart = smoothstep(4.0, 9.0, ppc);
  float d = roundBox(fract(p) - 0.5, vec2(0.5 - apart * min(0.05, 0.7 / ppc)), 0.2 * apart);
  return s * mix(1.0, clamp(0.5 - d * ppc, 0.0, 1.0), apart);
}`;

const LIFE = `
/* Breathing: the outline of each living organism swells and shrinks at its own rate. */
vec2 breathed(vec2 p) {
  vec2 o = vec2(3.0, 0.0);
  vec2 slope = vec2(
    texture(uHalo, (p + o.xy) / uGrid).a - texture(uHalo, (p - o.xy) / uGrid).a,
    texture(uHalo, (p + o.yx) / uGrid).a - texture(uHalo, (p - o.yx) / uGrid).a);
  uint id = texelFetch(uTerritory, ivec2(clamp(p, vec2(0.0), uGrid - 1.0)), 0).r;
  float h = hash(vec2(id & 255u, id >> 8));
  float breath = min(1.0, min(uBreath, ${BREATH}.0 - uBreath)) * sin(uBreath * (0.9 + 0.6 * h) + 6.3 * h);
  return p + 1.2 * breath * slope;
}`;

/** Number of elements of uRows, an array of `vec4` that contains most uniforms of the scene. */
export const SCENE_ROWS = 5;
const ROWS: Readonly<Record<string, string>> = {
  ...{ uGrid: 'uRows[0].xy', uView: 'uRows[0].zw', uOrigin: 'uRows[1].xy', uScale: 'uRows[1].z' },
  ...{ uCrisp: 'uRows[1].w', uWhole: 'uRows[2]', uFaded: 'uRows[3].x', uTime: 'uRows[3].y' },
  ...{ uBreath: 'uRows[3].z', uBare: 'uRows[3].w', uMarked: 'uRows[4].xyz' },
};

/** Replaces the names of uniforms in a shader by elements of the array `uRows`. */
export const fromRows = (source: string): string =>
  source.replace(/\bu[A-Z]\w*/g, (name) => ROWS[name] ?? name);

export const SCENE_FRAGMENT = fromRows(`#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
uniform sampler2D uCells, uTight, uWide, uHalo, uMask;
uniform usampler2D uOwner, uTerritory;
uniform vec4 uRows[${SCENE_ROWS}];
uniform vec3 uLight[${LIGHTS}];
out vec4 color;
${CURRENT}
${GROUND}
${SAMPLING}
${CELLS}
${LIFE}
void main() {
  vec2 q = uOrigin + vec2(gl_FragCoord.x, uView.y - gl_FragCoord.y) * uScale;
  vec2 d = current(q);
  vec2 p = q + d;
  float ppc = 1.0 / uScale;
  float edge = roundBox(p - 0.5 * uGrid, 0.5 * uGrid + 0.6, 5.0);
  vec4 cell = vec4(0.0);
  if (edge < 1.0) {
    cell = uCrisp < 0.5 ? tissue(breathed(p), ppc) : lattice(p, ppc);
    cell *= smoothstep(0.65, 0.2, edge);
  }
  vec3 c = vec3(0.0);
  if (cell.a < 0.98 && uBare < 0.5) {
    /* Displace the water less than the cells, as if it were farther away. */
    c = ground(q + 0.4 * d, d, edge, ppc);
    float inside = smoothstep(0.5, -9.0, edge);
    vec4 wide = texture(uWide, p / uGrid);
    vec3 glow = spline(uHalo, p * 0.25, uGrid * 0.25).rgb;
    /* Draw two shadows of the organisms: a dark one close to them, and a soft one farther away. */
    float near = texture(uWide, (p - vec2(0.4, 1.1)) / uGrid).a;
    float far = texture(uWide, (q + 0.6 * d - vec2(2.2, 6.0)) / uGrid).a;
    c *= 1.0 - (0.42 * smoothstep(0.0, 0.8, near) + 0.40 * smoothstep(0.02, 0.95, far)) * inside;
    c += (wide.rgb * (0.07 + 0.15 * wide.a) + glow * 0.22) * uLight[3] * inside;
  }
  c = c * (1.0 - cell.a) + cell.rgb;
  if (edge < 1.0 && uMarked.x + uMarked.y + uMarked.z > 0.0) {
    vec3 m = spline(uMask, p, uGrid).rgb;
    vec3 near = smoothstep(0.03, 0.30, m) * (1.0 - smoothstep(0.30, 0.62, m));
    near *= near;
    c += near.r * uMarked.r * vec3(0.80, 0.92, 0.98) * 0.75;
    c += near.g * uMarked.g * vec3(0.80, 0.92, 0.98) * 0.28;
    c += near.b * uMarked.b * vec3(1.0, 0.80, 0.48) * 0.75;
  }
  c = mix(c, vec3(dot(c, vec3(0.299, 0.587, 0.114))) * 0.8, uFaded);
  float shown = max(cell.a, 1.0 - uBare);
  c += shown * (hash(gl_FragCoord.xy) - 0.5) / 220.0;
  color = vec4(c, shown);
}`);
