/** Shaders of light marks over the scene: glows, rings, discs and the planting preview. */

export const MARKS_VERTEX = `#version 300 es
layout(location = 0) in vec4 aSegment;
layout(location = 1) in vec4 aShape;
layout(location = 2) in vec4 aColor;
uniform vec2 uView, uOrigin;
uniform float uScale, uPixel;
out vec2 vAt;
flat out vec4 vSegment;
flat out vec4 vShape;
flat out vec4 vColor;
void main() {
  vec2 corner = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1));
  float kind = aShape.w;
  vec2 a = aSegment.xy;
  vec2 b = kind > 2.5 ? a : aSegment.zw;
  float pad = aShape.x + (aShape.y + aShape.z + 1.5) * uPixel;
  vAt = mix(min(a, b) - pad, max(a, b) + pad, corner);
  vSegment = vec4(a, kind > 2.5 ? aSegment.zw : b);
  vShape = aShape;
  vColor = aColor;
  vec2 ndc = (vAt - uOrigin) / uScale / uView * 2.0 - 1.0;
  gl_Position = vec4(ndc.x, -ndc.y, 0.0, 1.0);
}`;

/** Shape: radius in cells, softness and line width in CSS pixels, kind (see marks.ts). */
export const MARKS_FRAGMENT = `#version 300 es
precision highp float;
uniform float uPixel;
uniform sampler2D uSheet;
uniform vec2 uTiles;
in vec2 vAt;
flat in vec4 vSegment;
flat in vec4 vShape;
flat in vec4 vColor;
out vec4 color;
float capsule(vec2 p, vec2 a, vec2 b) {
  vec2 ab = b - a;
  float along = clamp(dot(p - a, ab) / max(dot(ab, ab), 1e-6), 0.0, 1.0);
  return length(p - a - ab * along);
}
void main() {
  float kind = vShape.w;
  float strength;
  if (kind < 0.5) {
    float r = clamp(1.0 - capsule(vAt, vSegment.xy, vSegment.zw) / vShape.x, 0.0, 1.0);
    strength = r * r * (0.35 + 0.65 * r);
  } else if (kind < 1.5) {
    float d = (capsule(vAt, vSegment.xy, vSegment.zw) - vShape.x) / uPixel;
    float edge = 0.75 + vShape.y;
    strength = smoothstep(0.5 * vShape.z + edge, max(0.5 * vShape.z - edge, -0.25), abs(d));
  } else if (kind < 2.5) {
    float d = (capsule(vAt, vSegment.xy, vSegment.zw) - vShape.x) / uPixel;
    strength = smoothstep(0.75 + vShape.y, -0.75 - vShape.y, d);
  } else {
    vec2 at = (vAt - vSegment.xy) / (2.0 * vShape.x) + 0.5;
    if (any(lessThan(at, vec2(0.0))) || any(greaterThan(at, vec2(1.0)))) discard;
    vec4 picture = texture(uSheet, (vSegment.zw + clamp(at, 0.016, 0.984)) / uTiles);
    color = vec4(picture.rgb * picture.a, picture.a) * vColor.a;
    return;
  }
  color = vColor * strength;
}`;
