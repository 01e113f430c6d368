/** The entry point of the thread in which all sandboxed plugins run. */
import type { CallOutcome, LoadOutcome } from './outcome.ts'
import { ProgressWriter } from './progress.ts'
import { startQuickJs } from './quickjs.ts'
import { Sandboxes } from './sandboxes.ts'
import type { FromSandbox, ThreadPlugin, ToSandbox } from './thread-messages.ts'
import { type Batch, Turns } from './turns.ts'

declare const self: Worker

const plugins = new Map<string, ThreadPlugin>()
const sandboxes = new Sandboxes()
let progress = new ProgressWriter(new SharedArrayBuffer(ProgressWriter.BYTES))

const answer = (message: FromSandbox): void => self.postMessage(message)

const run = (batch: Batch, index: number): CallOutcome | Promise<CallOutcome> => {
  const plugin = plugins.get(batch.plugin)
  const call = batch.calls[index]
  if (plugin === undefined || call === undefined) return { kind: 'broke', what: 'is not loaded' }
  return sandboxes.run(plugin, batch.tenant, call, progress.watch(batch.id, index))
}

const turns = new Turns(run, (batch, outcomes) => {
  if (outcomes.length > 0) answer({ kind: 'outcomes', id: batch.id, outcomes })
})

const load = async (id: number, plugin: ThreadPlugin): Promise<void> => {
  const outcome: LoadOutcome = await sandboxes.check(plugin, progress.watch(id, 0))
  plugins.set(plugin.name, plugin)
  answer({ kind: 'loaded', id, outcome })
}

self.addEventListener('message', (event: MessageEvent<ToSandbox>) => {
  const message = event.data
  switch (message.kind) {
    case 'start':
      progress = new ProgressWriter(message.progress)
      for (const plugin of message.plugins) plugins.set(plugin.name, plugin)
      break
    case 'load':
      void load(message.id, message.plugin)
      break
    case 'run':
      turns.add(message)
      break
  }
})

// Compiles the engine: that must not count as loading a plugin.
void startQuickJs(0).then(() => answer({ kind: 'ready' }))
