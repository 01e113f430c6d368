/**
 * Runs in the plugin's own world: in the sandbox, where its text is evaluated before the plugin's, and in the thread of a
 * trusted plugin. It imports nothing, and keeps every built-in function it needs, because the plugin may replace them.
 *
 * Answers are texts, so that one value crosses: a JSON list of messages, or a letter with what follows it.
 *
 * - `s` skipped, with the reason; `n` skipped without one
 * - `e` threw, with a `Thrown` as JSON; `j` the same while its result was written as JSON
 * - `r` returned something else, with what it was; `l` returned too much
 * - `o` there was no memory for the input
 * - `w` a promise is waited for: ask `settled`
 */
export interface Calling {
  /** Takes a plugin's module. Answers what is missing, as `no default export`; empty when nothing is. */
  adopt(module: { default?: unknown }): string
  /** Takes a JSON text of the interaction and the messages, as a list of two. */
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
  let waiting: Promise<void> | null = null

  const frozen = <T>(value: T): T => {
    if (typeof value !== 'object' || value === null) return value
    // The plugin's code has not run yet: the built-in iteration is still the built-in one.
    for (const part of values(value)) frozen(part)
    return freeze(value)
  }
  const { tenant, options, env } = frozen(parse(settings))

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
    let text: unknown
    try {
      text = stringify(returned)
    } catch (error) {
      return `j${describe(error)}`
    }
    // A list with a toJSON of its own may write itself as anything.
    if (typeof text !== 'string' || text[0] !== '[') return 'rlist that writes itself as something else'
    return text.length > LARGEST_RESULT ? 'l' : text
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
    const [interaction, messages] = parse(input)
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
