/** Icons of the host's page (SVG, 24×24). */
import { svg } from 'lit';
import { along, icon, icons } from '../elements/icons.ts';

/** Icons by name. A section's icon has the section's id as its name. */
export const hostIcons = {
  watch: icons.watch,
  /** A dish from above, with two cells. */
  rooms: icon(svg`<circle cx="12" cy="12" r="8" /><circle cx="9.5" cy="10.8" r="1.9" />
    <circle cx="14.7" cy="13.7" r="1.2" fill="currentColor" stroke="none" />`),
  /** Three sliders. */
  knobs: icon(svg`<path d="M5 7h5M14.5 7H19M5 12h9M18.5 12H19M5 17h2M11.5 17H19" />
    <circle cx="12.2" cy="7" r="2.1" /><circle cx="16.2" cy="12" r="2.1" /><circle cx="9.2" cy="17" r="2.1" />`),
  gallery: icons.crisp,
  /** A crossed-out eye. */
  unseen: icon(svg`<path d="M3 12q9-13 18 0-9 13-18 0Z" /><path d="m5 19 14-14" />`),
  hours: icon(svg`<circle cx="12" cy="12" r="7.7" /><path d="M12 7.500V12l3 2" />`),
  /** A jar. */
  saved:
    icon(svg`<path d="M8 4.500h8M9 4.500v2.200c-1.7.7-2.7 2-2.7 3.800v6.700c0 1.3 1 2.3 2.3 2.300h6.800c1.3 0 2.3-1 2.3-2.300v-6.700c0-1.8-1-3.1-2.7-3.800V4.5" />
    <path d="M6.3 13.200c2 1.3 3.8-1.2 5.7 0s3.8 1.2 5.7 0" />`),
  film: icon(
    svg`<rect x="4" y="5.5" width="16" height="13" rx="2.5" /><path d="m10.3 9.3 4.4 2.7-4.4 2.700z" />`,
  ),
  visitors: icon(svg`<path d="M5 19V13M10 19V8.500M15 19v-4.500M20 19V5" />`),
  /** A panel with text. */
  exhibition: icon(
    svg`<rect x="4" y="4.5" width="16" height="15" rx="2" /><path d="M7.5 9h9M7.5 12.500h9M7.5 16h5" />`,
  ),
  /** A screen on a stand. */
  walls: icon(
    svg`<rect x="3.5" y="5" width="17" height="11.5" rx="2" /><path d="M12 16.500V20M8.5 20h7" />`,
  ),
  /** Three joined circles. */
  servers: icon(svg`<circle cx="12" cy="6.5" r="2.7" /><circle cx="6" cy="17" r="2.7" />
    <circle cx="18" cy="17" r="2.7" /><path d="m10.7 8.900-3.400 5.700M13.300 8.900l3.400 5.700M8.700 17h6.600" />`),
  /** A sheet with a code on it. */
  sign: icon(svg`<rect x="5.5" y="3.5" width="13" height="17" rx="2" /><rect x="9" y="7" width="6" height="6" rx="1" />
    <path d="M9 16.500h6" />`),
  /** A key. */
  access: icon(
    svg`<circle cx="8.5" cy="15.5" r="3.7" /><path d="m11.200 12.800 7.300-7.300M15.500 8.500l2.700 2.700" />`,
  ),
  more: icon(svg`<g fill="currentColor" stroke="none"><circle cx="6" cy="12" r="1.5" /><circle cx="12" cy="12" r="1.5" />
    <circle cx="18" cy="12" r="1.5" /></g>`),
  leave: along(
    svg`<path d="M10 5H7a2 2 0 0 0-2 2v10a2 2 0 0 0 2 2h3M14.5 8.5 18 12l-3.5 3.500M18 12H9.5" />`,
  ),
  pause: icon(svg`<path d="M9 6.500v11M15 6.500v11" />`),
  go: icon(svg`<path d="m8.5 6.5 8.5 5.5-8.5 5.500z" />`),
  undo: along(svg`<path d="M8.5 6 5 9.5 8.5 13M5 9.500h9a4.5 4.5 0 0 1 0 9h-3" />`),
  remove: icon(
    svg`<path d="M5.5 7.500h13M10 7.500v-2h4v2M7.5 7.500l.8 10.300c.1.9.8 1.7 1.7 1.700h4c.9 0 1.6-.8 1.7-1.700l.8-10.300M10.5 11v5M13.5 11v5" />`,
  ),
  /** A dashed rectangle. */
  area: icon(svg`<rect x="5" y="6" width="14" height="12" rx="1.5" stroke-dasharray="2.6 2.6" />`),
  /** A ring around a point, with rays. */
  point: icon(
    svg`<circle cx="12" cy="12" r="3.2" /><path d="M12 3.500v3M12 17.500v3M3.500 12h3M17.500 12h3" />`,
  ),
  plus: icon(svg`<path d="M12 6v12M6 12h12" />`),
  save: icon(svg`<path d="M12 5v9.500M8 11l4 4 4-4M5.5 19h13" />`),
  load: icon(svg`<path d="M12 15V5.500M8 9l4-4 4 4M5.5 19h13" />`),
  print:
    icon(svg`<path d="M8 9V4.500h8V9M8 16H6a1.5 1.5 0 0 1-1.5-1.500v-4C4.5 9.7 5.2 9 6 9h12c.8 0 1.5.7 1.5 1.500v4c0 .8-.7 1.5-1.5 1.500h-2" />
    <rect x="8" y="13.5" width="8" height="6" rx="1" />`),
  warning: icon(
    svg`<path d="M12 4.5 20 18.500H4z" /><path d="M12 10v4" /><circle cx="12" cy="16.4" r=".4" />`,
  ),
  mute: icon(svg`<path d="M5 10v4h3l4 3.500v-11L8 10zM15.5 10l4 4M19.5 10l-4 4" />`),
  sound: icon(
    svg`<path d="M5 10v4h3l4 3.500v-11L8 10zM15.5 9.500a3.6 3.6 0 0 1 0 5M18 7.500a6.5 6.5 0 0 1 0 9" />`,
  ),
  /** A crossed-out person. */
  ban: icon(svg`<circle cx="9.5" cy="8.5" r="3.3" /><path d="M3.200 19c.6-3.6 2.900-5.4 6.300-5.4s5.700 1.8 6.300 5.4" />
    <path d="m16.500 7.500 4 4M20.500 7.500l-4 4" />`),
  open: along(
    svg`<path d="M13 5h6v6M19 5l-8.5 8.500M16 14v3.500c0 .8-.7 1.5-1.5 1.500h-8c-.8 0-1.5-.7-1.5-1.500v-8C5 8.7 5.7 8 6.5 8H10" />`,
  ),
} as const;
