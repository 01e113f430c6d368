import type { Source } from '../contracts/inbox.ts'
import type { JsonObject, JsonValue } from '../contracts/json.ts'
import type { Palette } from '../demo/palette.ts'
import type { Step } from '../mapping/explain.ts'
import { displayed, displayedJson } from '../testing/displayed.ts'
import { leavesOf, type MessageChange, messageChanges } from '../testing/message-changes.ts'

/** Fields that all messages have: they stand in the messages as they are sent, and say nothing of a step. */
const OF_ALL = /^(?:context|integrations|type)\b/

/** Tells what rules and plugins did to the messages of an item. */
export class StepTeller {
  constructor(
    private readonly palette: Palette,
    private readonly source: Source,
  ) {}

  /** The messages before the first step. */
  start(messages: readonly JsonObject[]): string[] {
    return messages.flatMap((message) => [
      `    ${this.palette.segment(this.#title(message))}`,
      ...[...leavesOf(message)]
        .filter(([path]) => !this.#isOfAll(path))
        .map(([path, value]) => `      ${displayed(path)}: ${displayedJson(value)}`),
    ])
  }

  /** The steps of a kind, each with what it changed. */
  steps(steps: readonly Step[], kind: Step['kind'], start: readonly JsonObject[]): string[] {
    return steps.flatMap((step, index) => {
      if (step.kind !== kind) return []
      const before = steps[index - 1]?.messages ?? start
      return this.#step(step, step.result === 'applied' ? messageChanges(before, step.messages) : [])
    })
  }

  #step({ name, place, result, why }: Step, changes: readonly MessageChange[]): string[] {
    const { good, bad, refused, quiet } = this.palette
    const because = why === null ? '' : `: ${displayed(why)}`
    const head = place === '' ? displayed(name) : `${displayed(name)}  ${quiet(displayed(place))}`
    switch (result) {
      case 'applied': {
        const told = changes.flatMap((change) => this.#change(change))
        const nothing = [quiet('      it changed nothing')]
        return [`  ${good('✓')} ${head}  applied`, ...(told.length > 0 ? told : nothing)]
      }
      case 'not_matched':
        return [`  ${quiet('·')} ${head}  did not match${because}`]
      case 'not_reached':
        return [`  ${quiet('·')} ${head}  not reached${because}`]
      case 'skipped':
        return [`  ${refused('⊘')} ${head}  skipped it${because}`]
      case 'failed':
        return [`  ${bad('✗')} ${head}  failed${because}`]
    }
  }

  #change({ kind, message, values }: MessageChange): string[] {
    const { good, bad } = this.palette
    const title = this.#title(message)
    if (kind === 'removed') return [bad(`      - the message ${title} is gone`)]
    const head = kind === 'added' ? good(`      + a new message, ${title}`) : `      ${title}`
    const shown = values.filter(({ path }) => kind === 'changed' || !this.#isOfAll(path))
    return [
      head,
      ...shown.flatMap(({ path, before, after }) => [
        ...valueLine('-', path, before).map(bad),
        ...valueLine('+', path, after).map(good),
      ]),
    ]
  }

  #title({ type, event }: JsonObject): string {
    // What goes to Refiner may have a trait named type.
    const title = this.source === 'segment' ? 'what is posted to Refiner' : textOf(type)
    return displayed(typeof event === 'string' ? `${title}, ${JSON.stringify(event)}` : title)
  }

  #isOfAll(path: string): boolean {
    return this.source === 'refiner_webhook' && OF_ALL.test(path)
  }
}

function textOf(type: JsonValue | undefined): string {
  return typeof type === 'string' ? type : 'message'
}

function valueLine(sign: string, path: string, value: JsonValue | undefined): string[] {
  return value === undefined ? [] : [`        ${sign} ${displayed(path)}: ${displayedJson(value)}`]
}
