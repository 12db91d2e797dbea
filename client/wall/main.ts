import './vivarium-wall.ts';
