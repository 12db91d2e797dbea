/** Whether the native engine is here. */
import { missingCompiler } from '../../../../server/engine/native/compile.ts';
import { testNeeding } from '../../../support/needs.ts';

export const hasCompiler = missingCompiler() === undefined;

/** A test that needs the native engine. */
export const testNative = testNeeding('a C compiler', hasCompiler);
