/** Screen sizes for browser tests. */

/** A phone, held upright. */
export const PHONE = {
  viewport: { width: 390, height: 844 },
  hasTouch: true,
  isMobile: true,
} as const;

export const DESKTOP = { viewport: { width: 1440, height: 900 } } as const;

/** A window, in CSS pixels. */
export interface WindowSize {
  readonly width: number;
  readonly height: number;
}

/** From the smallest phone to a desktop, upright and across. */
export const WINDOWS: readonly WindowSize[] = [
  { width: 320, height: 480 },
  { width: 320, height: 568 },
  { width: 390, height: 844 },
  { width: 480, height: 320 },
  { width: 844, height: 390 },
  { width: 820, height: 1180 },
  { width: 1440, height: 900 },
];

/** At 200 % zoom a window has half as many CSS pixels. */
export const ZOOMED: readonly WindowSize[] = WINDOWS.filter(({ height }) => height !== 568).map(
  ({ width, height }) => ({
    width: width / 2,
    height: height / 2,
  }),
);

/** A phone or tablet whose window has this size. */
export const mobile = (viewport: WindowSize) =>
  ({ ...PHONE, viewport, deviceScaleFactor: 2 }) as const;

export const sizeText = ({ width, height }: WindowSize): string => `${width}×${height}`;
