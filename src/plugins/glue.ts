import callingSource from './inside/calling.ts' with { type: 'text' }
import confineSource from './inside/confine.ts' with { type: 'text' }

// Imported as text, so that these are strings, whatever the compiler takes them for.
const transpiler = new Bun.Transpiler({ loader: 'ts', target: 'browser' })

/** ES modules that are evaluated in every sandbox before the plugin. */
export const CONFINE_MODULE = transpiler.transformSync(String(confineSource))
export const CALLING_MODULE = transpiler.transformSync(String(callingSource))
