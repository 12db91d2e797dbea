import './vivarium-host.ts';
