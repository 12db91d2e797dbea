// Preloaded by tests: no client of Valkey or Redis is installed.
import { register } from 'node:module';

const hooks = `
  export async function resolve(name, context, next) {
    if (/redis|valkey/.test(name)) throw new Error("Cannot find package '" + name + "'");
    return next(name, context);
  }`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
