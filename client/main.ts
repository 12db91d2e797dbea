import './elements/vivarium-room.ts';
