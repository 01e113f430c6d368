import { SECTIONS } from '../store/person-export.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import type { Query } from './operator-client.ts'
import { type CommonOptions, withDaemon } from './with-daemon.ts'

/**
 * Prints all that is kept about a person as one JSON object, as it comes: it may be more than fits into memory. When it
 * breaks off, what was printed is no JSON, and it fails.
 */
export function exportPerson(
  options: CommonOptions,
  whom: Query,
  context: CommandContext,
): Promise<ExitCode> {
  return withDaemon(options, context, async (client) => {
    const writer = new Writer(context)
    for (let next: string | null | undefined; next !== null;) {
      const answer = await client.get<Answer>('/api/user/export', { ...whom, next })
      if (!answer.ok) {
        context.printError(next === undefined ? answer.refused : `the export broke off: ${answer.refused}`)
        return EXIT.failure
      }
      if (next === undefined) writer.head(answer.body)
      writer.sections(answer.body)
      next = answer.body.next
      await context.drained?.()
    }
    writer.end()
    if (writer.isEmpty) context.printError('nothing is kept of that person')
    return EXIT.ok
  })
}

type Answer = Readonly<Record<string, unknown>> & { readonly next: string | null }

/** Writes a JSON object whose lists come in parts, in their order. */
class Writer {
  isEmpty = true
  /** The section that is open, by its place in the order. */
  #at = -1
  /** The last row, which has a comma behind it if another one comes. */
  #held: string | null = null

  constructor(private readonly context: CommandContext) {}

  head(answer: Answer): void {
    const own = Object.entries(answer).filter(([name]) => name !== 'next' && !isSection(name))
    if (answer['profile'] !== null) this.isEmpty = false
    this.context.print('{')
    for (const [name, value] of own) {
      this.context.print(`  ${JSON.stringify(name)}: ${indented(value)},`)
    }
  }

  sections(answer: Answer): void {
    for (const [index, name] of SECTIONS.entries()) {
      const rows = (answer[name] ?? []) as unknown[]
      if (rows.length === 0) continue
      this.#open(index)
      for (const row of rows) {
        if (this.#held !== null) this.context.print(`${this.#held},`)
        this.#held = `    ${indented(row, 4)}`
      }
      this.isEmpty = false
    }
  }

  end(): void {
    this.#open(SECTIONS.length)
    this.context.print('}')
  }

  #open(index: number): void {
    while (this.#at < index) {
      if (this.#held !== null) this.context.print(this.#held)
      if (this.#at >= 0) this.context.print(this.#at === SECTIONS.length - 1 ? '  ]' : '  ],')
      this.#at += 1
      this.#held = null
      if (this.#at < SECTIONS.length) this.context.print(`  ${JSON.stringify(SECTIONS[this.#at])}: [`)
    }
  }
}

function isSection(name: string): boolean {
  return SECTIONS.some((section) => section === name)
}

function indented(value: unknown, by = 2): string {
  return JSON.stringify(value, null, 2).replaceAll('\n', `\n${' '.repeat(by)}`)
}
