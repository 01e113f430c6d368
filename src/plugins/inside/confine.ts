/**
 * Runs inside the sandbox before the plugin: takes away what the plugin may not use and gives it what it may. It imports
 * nothing. What is not in the list of globals below does not exist for the plugin, whatever the engine brings.
 *
 * `permit` is a JSON text of `{ time, random, net }`, three booleans. `startFetch` takes a JSON text of
 * `{ url, method, headers, body }` and promises one of `{ status, headers, text }`.
 */
export default function confine(
  permit: string,
  startFetch: (request: string) => Promise<string>,
  randomId: () => string,
): void {
  const { parse, stringify } = JSON
  const { defineProperty, freeze, entries, hasOwn } = Object
  const { ownKeys, construct } = Reflect
  const permissions: { time: boolean; random: boolean; net: boolean } = parse(permit)

  const kept = new Set<PropertyKey>(
    `Array ArrayBuffer BigInt BigInt64Array BigUint64Array Boolean DataView Date Error AggregateError EvalError RangeError
    ReferenceError SyntaxError TypeError URIError InternalError FinalizationRegistry Float16Array Float32Array Float64Array
    Function Infinity Int16Array Int32Array Int8Array Iterator JSON Map Math NaN Number Object Promise Proxy Reflect RegExp
    Set String Symbol Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet decodeURI
    decodeURIComponent encodeURI encodeURIComponent escape eval globalThis isFinite isNaN parseFloat parseInt undefined
    unescape`.split(/\s+/),
  )
  for (const name of ownKeys(globalThis)) {
    if (!kept.has(name)) Reflect.deleteProperty(globalThis, name)
  }

  const give = (name: string, value: unknown): void => {
    defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false })
  }
  const refuse = (what: string, permission: string): never => {
    throw new Error(
      `${what} needs \`permissions: { ${permission}: true }\` for this plugin in refiner-sync.yaml`,
    )
  }

  const silent = (): void => undefined
  give('console', { log: silent, info: silent, warn: silent, error: silent, debug: silent, trace: silent })

  if (!permissions.time) {
    const Clocked = Date
    const Still = function (this: unknown, ...parts: unknown[]): unknown {
      if (new.target === undefined) return refuse('Date()', 'time')
      if (parts.length === 0) return refuse('new Date()', 'time')
      return construct(Clocked, parts, new.target)
    }
    const settle = (name: string, value: unknown, writable = true): void => {
      defineProperty(Still, name, { value, writable, configurable: writable, enumerable: false })
    }
    settle('name', 'Date', false)
    settle('length', 7, false)
    settle('prototype', Clocked.prototype, false)
    settle('parse', Clocked.parse)
    settle('UTC', Clocked.UTC)
    settle('now', () => refuse('Date.now()', 'time'))
    // `new Date(0).constructor` leads to the one without a clock as well.
    defineProperty(Clocked.prototype, 'constructor', {
      value: Still,
      writable: true,
      configurable: true,
      enumerable: false,
    })
    give('Date', Still)
  }

  if (permissions.random) give('crypto', freeze({ randomUUID: () => randomId() }))
  else defineProperty(Math, 'random', { value: () => refuse('Math.random()', 'random'), configurable: false })

  if (permissions.net) {
    interface Init {
      method?: unknown
      headers?: unknown
      body?: unknown
    }
    const toText = String
    const headersOf = (headers: unknown): Record<string, string> => {
      const texts: Record<string, string> = {}
      if (typeof headers !== 'object' || headers === null) return texts
      for (const [name, value] of entries(headers)) texts[name] = toText(value)
      return texts
    }
    const bodyOf = (body: unknown): string | null => {
      if (body === undefined || body === null) return null
      if (typeof body !== 'string') throw new TypeError('fetch: the body must be a string')
      return body
    }
    const headerOf = (headers: Record<string, string>, name: string): string | null =>
      hasOwn(headers, name) ? (headers[name] ?? null) : null
    const lower = Function.prototype.call.bind(String.prototype.toLowerCase) as (text: string) => string
    give('fetch', async (url: unknown, init: Init = {}) => {
      const request = {
        url: toText(url),
        method: init.method === undefined ? 'GET' : toText(init.method),
        headers: headersOf(init.headers),
        body: bodyOf(init.body),
      }
      const { status, headers, text } = parse(await startFetch(stringify(request)))
      return {
        ok: status >= 200 && status < 300,
        status,
        headers: { get: (name: unknown): string | null => headerOf(headers, lower(toText(name))) },
        text: async (): Promise<string> => text,
        json: async (): Promise<unknown> => parse(text),
      }
    })
  }
}
