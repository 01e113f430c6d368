/** The entry point of the thread of one trusted plugin. */
import { jsonOfFields } from '../json/fields.ts'
import { CALLING_MODULE } from './glue.ts'
import type prepareCallsInside from './inside/calling.ts'
import type { Calling } from './inside/calling.ts'
import type { CallOutcome, LoadOutcome } from './outcome.ts'
import { readAnswer, readThrown } from './read-answer.ts'
import type { FromTrusted, ThreadPlugin, ToTrusted } from './thread-messages.ts'

declare const self: Worker

/** The bundler can hold a file as text or as code, not as both, and the sandbox needs the text. */
const importText = (code: string): Promise<unknown> =>
  import(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })))

void importText(CALLING_MODULE).then((calls) =>
  serve((calls as { default: typeof prepareCallsInside }).default),
)

/** Answers messages from here on. */
function serve(prepareCalls: typeof prepareCallsInside): void {
  const callings = new Map<string, Calling>()
  let plugin: ThreadPlugin | null = null
  let module: { default?: unknown } = {}
  let body = ''

  const answer = (message: FromTrusted): void => self.postMessage(message)

  const callingOf = (tenant: string, { options, env }: ThreadPlugin): Calling => {
    const known = callings.get(tenant)
    if (known !== undefined) return known
    const calling = prepareCalls(JSON.stringify({ tenant, options, env }), () => body)
    calling.adopt(module)
    callings.set(tenant, calling)
    return calling
  }

  /** Before the plugin runs, so that it describes errors of the plugin's loading too. */
  const calm = prepareCalls('{}', () => '')

  const load = async (loading: ThreadPlugin): Promise<LoadOutcome> => {
    plugin = loading
    try {
      module = (await importText(loading.code)) as typeof module
    } catch (error) {
      return readThrown(calm.describe(error))
    }
    const missing = calm.adopt(module)
    return missing === '' ? { kind: 'loaded' } : { kind: 'not_a_plugin', missing }
  }

  const run = async (message: ToTrusted & { kind: 'run' }): Promise<CallOutcome> => {
    if (plugin === null) return { kind: 'broke', what: 'is not loaded' }
    // Here JSON is quick, and a plugin may hand its messages to whatever it likes.
    const messages = message.call.messages.map(jsonOfFields).join(',')
    const input = `{"interaction":${jsonOfFields(message.call.interaction)},"messages":[${messages}]}`
    body = message.call.body
    const calling = callingOf(message.tenant, plugin)
    const outcome = readAnswer(calling.call(input))
    if (outcome !== null) return outcome
    return (
      readAnswer(await calling.whenSettled()) ?? {
        kind: 'broke',
        what: 'answered in a way that cannot be read',
      }
    )
  }

  const crash = (error: unknown): void => {
    const failure = readThrown(calm.describe(error))
    if (failure.kind === 'threw') answer({ kind: 'crashed', outcome: failure })
    // Its message goes first.
    setTimeout(() => process.exit(1), 0)
  }
  self.addEventListener('error', (event: ErrorEvent) => {
    event.preventDefault()
    crash(event.error)
  })
  self.addEventListener('unhandledrejection', (event: Event & { reason?: unknown }) => {
    event.preventDefault()
    crash(event.reason)
  })

  self.addEventListener('message', (event: MessageEvent<ToTrusted>) => {
    const message = event.data
    if (message.kind === 'load')
      void load(message.plugin).then((outcome) => answer({ kind: 'loaded', outcome }))
    else void run(message).then((outcome) => answer({ kind: 'outcome', outcome }))
  })

  answer({ kind: 'ready' })
}
