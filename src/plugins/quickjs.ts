import variant from '@jitl/quickjs-singlefile-mjs-release-sync'
import { newQuickJSWASMModuleFromVariant, type QuickJSWASMModule } from 'quickjs-emscripten-core'

type ModuleLoader = Exclude<Awaited<ReturnType<typeof variant.importModuleLoader>>, { default: unknown }>
type EmscriptenModule = Awaited<ReturnType<ModuleLoader>>
type WasmImports = NonNullable<ConstructorParameters<typeof WebAssembly.Instance>[1]>

const PAGE_BYTES = 64 * 1024
/** What the module asks for at least, and what its stack and constants take of that. */
const LEAST_PAGES = 256
const OWN_BYTES = 6 * 1024 * 1024
/** The module grows its memory by a twentieth of itself at least: without room for that, it does not reach its limit. */
const GROWTH = 1.05

/** Nothing more can be handed over to this QuickJS. */
export class QuickJsMemoryError extends Error {}

const encoder = new TextEncoder()
let compiled: WebAssembly.Module | null = null

/**
 * Starts a QuickJS of its own, as one WebAssembly instance whose memory cannot grow beyond what QuickJS takes for itself
 * and `memoryBytes`. QuickJS's own limit does not do: compiled to WebAssembly, it does not know the sizes of what it
 * allocated, and counts eight bytes for each. Takes some milliseconds; the first time, some 50.
 */
export function startQuickJs(memoryBytes: number): Promise<QuickJSWASMModule> {
  const importModuleLoader = async (): Promise<ModuleLoader> => {
    const load = (await variant.importModuleLoader()) as ModuleLoader
    return async () => prepared(await instantiate(load, memoryOf(memoryBytes)), memoryBytes)
  }
  return newQuickJSWASMModuleFromVariant({ ...variant, importModuleLoader })
}

function memoryOf(memoryBytes: number): WebAssembly.Memory {
  const pages = Math.ceil(((OWN_BYTES + memoryBytes) * GROWTH) / PAGE_BYTES)
  return new WebAssembly.Memory({
    initial: LEAST_PAGES,
    maximum: Math.min(Math.max(pages, LEAST_PAGES), 32_768),
  })
}

/** Compiles the module once: its package has the code as a text, and would decode and compile it for every instance. */
async function instantiate(load: ModuleLoader, wasmMemory: WebAssembly.Memory): Promise<EmscriptenModule> {
  if (compiled !== null) {
    const module = compiled
    const instantiateWasm = (imports: WasmImports, use: (instance: WebAssembly.Instance) => void) => {
      const instance = new WebAssembly.Instance(module, imports)
      use(instance)
      return instance.exports
    }
    return load({ wasmMemory, instantiateWasm })
  }
  const original = WebAssembly.instantiate
  const keeping = async (code: ArrayBuffer, imports: WasmImports) => {
    const module = await WebAssembly.compile(code)
    compiled = module
    return { module, instance: new WebAssembly.Instance(module, imports) }
  }
  try {
    Object.assign(WebAssembly, { instantiate: keeping })
    return await load({ wasmMemory })
  } finally {
    Object.assign(WebAssembly, { instantiate: original })
  }
}

function prepared(module: EmscriptenModule, memoryBytes: number): EmscriptenModule {
  // What comes along writes texts character by character, and every call hands over a text of kilobytes.
  module.lengthBytesUTF8 = (text) => Buffer.byteLength(text)
  module.stringToUTF8 = (text, start, room = Buffer.byteLength(text) + 1) => {
    const heap = module.HEAPU8
    const { written } = encoder.encodeInto(text, heap.subarray(start, start + room - 1))
    heap[start + written] = 0
  }
  // What comes along does not look whether it was given any, and writes at address 0.
  const allocate = module._malloc.bind(module)
  module._malloc = (bytes) => {
    const start = allocate(bytes)
    if (start === 0) throw new QuickJsMemoryError('allocating a text for the sandbox: its memory is used up')
    return start
  }
  // The least memory may be more than the plugin may have: the rest is taken, and never touched.
  const spare = LEAST_PAGES * PAGE_BYTES - OWN_BYTES - memoryBytes
  if (spare > 0) allocate(spare)
  return module
}
