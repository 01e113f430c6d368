/**
 * Runs in the plugin's own world: in the sandbox, where its text is evaluated before the plugin's, and in the thread of a
 * trusted plugin. It imports nothing, and keeps every built-in function it needs, because the plugin may replace them.
 *
 * Answers are texts, so that one value crosses: a letter with what follows it.
 *
 * - `m` a list, see `readReturned`
 * - `s` skipped, with the reason; `n` skipped without one
 * - `e` threw, with a `Thrown` as JSON; `j` the same while its result was written as JSON
 * - `r` returned something else, with what it was; `l` returned too much
 * - `o` there was no memory for the input
 * - `w` a promise is waited for: ask `settled`
 */
export interface Calling {
  /** Takes a plugin's module. Answers what is missing, as `no default export`; empty when nothing is. */
  adopt(module: { default?: unknown }): string
  /**
   * Takes the interaction and the messages: as `{"interaction": …, "messages": […]}`, or as a JSON list of lengths, a mark,
   * and objects of those lengths in the form of `json/fields.ts`, whose fields are read as the plugin asks for them.
   */
  call(input: string): string
  /** What came of the promise of the latest call; `w` while that is open. */
  settled(): string
  /** The same, once it is not open any more. */
  whenSettled(): Promise<string>
  /** A `Thrown` as JSON. */
  describe(error: unknown): string
}

/** The settings are a JSON text of `{ tenant, options, env }`; `readBody` gives the text that Refiner sent. */
export default function prepareCalls(settings: string, readBody: () => string): Calling {
  const { parse, stringify } = JSON
  const { isArray } = Array
  const { freeze, values } = Object
  const { apply } = Reflect
  const ErrorClass = Error
  const toText = String
  const cut = Function.prototype.call.bind(String.prototype.slice) as (
    text: string,
    from: number,
    to: number,
  ) => string

  const LARGEST_RESULT = 4 * 1024 * 1024
  const LONGEST_REASON = 500

  interface Transforming {
    name: string
    transform: (...args: unknown[]) => unknown
  }
  let plugin: unknown
  let transform: Transforming['transform']
  let answer = 'w'
  let latest = 0
  let latestInput = ''
  let waiting: Promise<void> | null = null

  const frozen = <T>(value: T): T => {
    if (typeof value !== 'object' || value === null) return value
    // The plugin's code has not run yet: the built-in iteration is still the built-in one.
    for (const part of values(value)) frozen(part)
    return freeze(value)
  }
  const { tenant, options, env } = frozen(parse(settings))

  /** An object whose fields are read from the input when the plugin asks for them. */
  interface Lazy {
    readonly input: string
    /** Where its fields stand in the input. */
    readonly from: number
    readonly end: number
    /** Which message it is, from 0; -1 for the interaction. */
    readonly index: number
    /** The fields that were read or written. */
    readonly names: string[]
    /** Undefined where one was removed. */
    readonly values: unknown[]
    /** Whether each may have changed. What has parts may, as soon as it was read. */
    readonly isChanged: boolean[]
    /** Whether it has a name that would be taken for a mark, so that it is written as a whole. */
    isOdd: boolean
  }

  const MARKS = freeze(['\x1d', '\x1e', '\x1f'])
  const bound = Function.prototype.call
  const find = bound.bind(String.prototype.indexOf) as (text: string, part: string, from: number) => number
  const ProxyClass = Proxy
  const inherited = Object.prototype as Record<PropertyKey, unknown>
  const lazies = new WeakMap<object, Lazy>()
  const lazyOf = bound.bind(WeakMap.prototype.get, lazies) as (key: object) => Lazy | undefined
  const remember = bound.bind(WeakMap.prototype.set, lazies) as (key: object, lazy: Lazy) => void

  const openInput = (input: string): [unknown, unknown[]] => {
    const messages: unknown[] = []
    const mark = find(input, '\x1e', 0)
    const lengths: number[] = parse(cut(input, 0, mark))
    let from = mark + 1
    const interaction = openLazy(input, from, (from += lengths[0]!), -1)
    for (let index = 1; index < lengths.length; index += 1) {
      messages[index - 1] = openLazy(input, from, (from += lengths[index]!), index - 1)
    }
    return [interaction, messages]
  }

  const openWhole = (input: string): [unknown, unknown] => {
    const { interaction, messages } = parse(input)
    return [interaction, messages]
  }

  const openLazy = (input: string, from: number, end: number, index: number): object => {
    const lazy: Lazy = { input, from, end, index, names: [], values: [], isChanged: [], isOdd: false }
    const object = new ProxyClass(lazy, lazyHandler)
    remember(object, lazy)
    return object
  }

  const placeOf = ({ names }: Lazy, name: PropertyKey): number => {
    for (let place = 0; place < names.length; place += 1) if (names[place] === name) return place
    return -1
  }

  /** Where the JSON of a field begins in the input; -1 for a field that it does not have. */
  const startOf = ({ input, from, end }: Lazy, name: string): number => {
    const mark = `\x1d${name}\x1f`
    const at = find(input, mark, from)
    return at < 0 || at >= end ? -1 : at + mark.length
  }

  const read = (lazy: Lazy, name: PropertyKey): unknown => {
    const place = placeOf(lazy, name)
    if (place >= 0) return lazy.values[place]
    if (typeof name !== 'string') return undefined
    const start = startOf(lazy, name)
    if (start < 0) return undefined
    const value: unknown = parse(cut(lazy.input, start, find(lazy.input, '\x1d', start)))
    keep(lazy, name, value, typeof value === 'object' && value !== null)
    return value
  }

  const keep = (lazy: Lazy, name: string, value: unknown, isChanged: boolean): void => {
    const known = placeOf(lazy, name)
    const place = known < 0 ? lazy.names.length : known
    lazy.names[place] = name
    lazy.values[place] = value
    lazy.isChanged[place] = isChanged
  }

  const write = (lazy: Lazy, name: PropertyKey, value: unknown): boolean => {
    if (typeof name !== 'string') return false
    for (let mark = 0; mark < 3; mark += 1) if (find(name, MARKS[mark]!, 0) >= 0) lazy.isOdd = true
    keep(lazy, name, value, true)
    return true
  }

  /** All names: those of the input, then new ones. */
  const namesOf = (lazy: Lazy): string[] => {
    const all: string[] = []
    for (let at = lazy.from; at < lazy.end - 1; at = find(lazy.input, '\x1d', at + 1)) {
      const name = cut(lazy.input, at + 1, find(lazy.input, '\x1f', at))
      if (has(lazy, name)) all[all.length] = name
    }
    for (let place = 0; place < lazy.names.length; place += 1) {
      const name = lazy.names[place]!
      if (startOf(lazy, name) < 0 && has(lazy, name)) all[all.length] = name
    }
    return all
  }

  const has = (lazy: Lazy, name: PropertyKey): boolean => {
    const place = placeOf(lazy, name)
    if (place >= 0) return lazy.values[place] !== undefined
    return typeof name === 'string' && startOf(lazy, name) >= 0
  }

  const lazyHandler: ProxyHandler<Lazy> = {
    get(lazy, name) {
      const value = read(lazy, name)
      return value === undefined ? inherited[name] : value
    },
    set: (lazy, name, value) => write(lazy, name, value),
    has: (lazy, name) => has(lazy, name) || name in inherited,
    deleteProperty: (lazy, name) => !has(lazy, name) || write(lazy, name, undefined),
    ownKeys: namesOf,
    getOwnPropertyDescriptor(lazy, name) {
      if (!has(lazy, name)) return undefined
      return { value: read(lazy, name), writable: true, enumerable: true, configurable: true }
    },
    defineProperty: (lazy, name, { value }) => write(lazy, name, value),
    setPrototypeOf: () => false,
    preventExtensions: () => false,
  }

  /** Only what may have changed is written: its number, then names and JSON texts, an empty one for what was removed. */
  const writeLazy = ({ index, names, values: contents, isChanged }: Lazy): string => {
    let text = `${index}`
    for (let place = 0; place < names.length; place += 1) {
      if (!isChanged[place]) continue
      text += `\x1d${names[place]!}\x1f${stringify(contents[place]) ?? ''}`
    }
    return text
  }

  /** Reads a property that may be a trap. */
  const textOf = (value: unknown, name: string, longest: number): string | null => {
    try {
      const text = (value as Record<string, unknown>)[name]
      return typeof text === 'string' ? cut(text, 0, longest) : null
    } catch {
      return null
    }
  }
  const isError = (value: unknown): boolean => {
    try {
      return value instanceof ErrorClass
    } catch {
      return false
    }
  }
  const nameOf = (error: object): string | null => {
    const name = textOf(error, 'name', 60)
    if (name !== 'Error') return name
    try {
      return textOf(error.constructor, 'name', 60) ?? name
    } catch {
      return name
    }
  }

  const describe = (error: unknown): string => {
    if (typeof error !== 'object' || error === null) {
      const message =
        typeof error === 'symbol' || typeof error === 'function' ? null : cut(toText(error), 0, 500)
      return stringify({ type: kindOf(error), name: null, message, stack: null })
    }
    return stringify({
      type: isError(error) ? 'Error' : 'object',
      name: nameOf(error),
      message: textOf(error, 'message', 500),
      stack: textOf(error, 'stack', 4000),
    })
  }

  const kindOf = (value: unknown): string => {
    if (value === null) return 'null'
    return typeof value
  }

  const finish = (returned: unknown, skipped: string | null): string => {
    if (returned === null) return skipped === null ? 'n' : `s${skipped}`
    if (!isArray(returned)) return `r${kindOf(returned)}`
    try {
      return writeList(returned)
    } catch (error) {
      return `j${describe(error)}`
    }
  }

  /** Item by item, each after a mark: a message that came in by what is new of it, everything else as JSON. */
  const writeList = (list: unknown[]): string => {
    let text = ''
    const { length } = list
    for (let index = 0; index < length; index += 1) {
      const item = list[index]
      const lazy = typeof item === 'object' && item !== null ? lazyOf(item) : undefined
      const isMessage = lazy !== undefined && lazy.index >= 0 && lazy.input === latestInput && !lazy.isOdd
      text += isMessage ? `\x1e${writeLazy(lazy)}` : `\x1e\x1d${stringify(item) ?? 'null'}`
      if (text.length > LARGEST_RESULT) return 'l'
    }
    return `m${text}`
  }

  const begin = (input: string): string => {
    let skipped: string | null = null
    let body: unknown
    const context = {
      tenant,
      options,
      env,
      body: () => (body ??= parse(readBody())),
      skip(reason: unknown): null {
        skipped = reason === undefined ? null : cut(toText(reason), 0, LONGEST_REASON)
        return null
      },
    }
    latestInput = input
    const [interaction, messages] = input[0] === '[' ? openInput(input) : openWhole(input)
    const returned = apply(transform, plugin, [interaction, messages, context])
    if (!isPromise(returned)) return finish(returned, skipped)
    const call = (latest += 1)
    answer = 'w'
    const settle = (text: string): void => {
      if (call === latest) answer = text
    }
    // An async function is the one way to wait that the plugin cannot replace.
    const wait = async (): Promise<void> => {
      try {
        settle(finish(await returned, skipped))
      } catch (error) {
        settle(`e${describe(error)}`)
      }
    }
    waiting = wait()
    return 'w'
  }

  const isPromise = (value: unknown): value is PromiseLike<unknown> =>
    typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'

  return {
    adopt(module) {
      const value = module.default
      if (value === undefined) return 'no default export'
      if (typeof value !== 'object' || value === null)
        return `a default export that is a ${kindOf(value)}, not an object`
      const candidate = value as Partial<Transforming>
      if (typeof candidate.name !== 'string') return 'no name in its default export'
      if (typeof candidate.transform !== 'function') return 'no function transform in its default export'
      plugin = value
      transform = candidate.transform
      return ''
    },
    call(input) {
      if (typeof input !== 'string') return 'o'
      try {
        return begin(input)
      } catch (error) {
        return `e${describe(error)}`
      }
    },
    settled: () => answer,
    async whenSettled() {
      await waiting
      return answer
    },
    describe,
  }
}
