import type { Command } from 'commander'
import type { Facts } from '../contracts/diagnosis.ts'
import type { Palette } from '../demo/palette.ts'
import { CAUSES } from '../doctor/causes.ts'
import { diagnose, type NamedFinding } from '../doctor/diagnose.ts'
import { displayed } from '../testing/displayed.ts'
import { paletteOf } from './colours.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import { withCommon } from './delivery-options.ts'
import { counted } from './refused-configuration.ts'
import { type CommonOptions, fail, withDaemon } from './with-daemon.ts'

/** Adds `doctor` to the program. */
export function addDoctor(
  program: Command,
  config: () => string,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  withCommon(
    program
      .command('doctor')
      .description('say in plain words what is wrong with the running daemon, and what to do'),
  )
    .addHelpText('after', HELP)
    .action(async ({ url, json }: { url?: string; json: boolean }) => {
      finish(await doctor({ config: config(), url, json }, context))
    })
}

/** Fails when something is found, or the daemon does not answer. */
function doctor(options: CommonOptions, context: CommandContext): Promise<ExitCode> {
  return withDaemon(options, context, async (client) => {
    const answer = await client.get<Facts>('/api/diagnosis')
    if (!answer.ok) return fail(withAdvice(answer.refused), options, context)
    const facts = answer.body as Facts | null
    // Whatever answers there, it may be anything.
    if (facts?.intake === undefined || facts.tenants === undefined) {
      return fail(
        'the daemon is of a version that doctor cannot read: restart it with this one',
        options,
        context,
      )
    }
    const findings = diagnose(facts)
    if (options.json) context.print(JSON.stringify({ ok: findings.length === 0, findings, facts }, null, 2))
    else for (const line of describe(findings, facts, paletteOf(context))) context.print(displayed(line))
    return findings.length === 0 ? EXIT.ok : EXIT.failure
  })
}

function withAdvice(refused: string): string {
  if (refused.startsWith('no daemon answers')) {
    return `${refused}; see in its log why it ended (\`journalctl -u refiner-sync\`), or start one with \`refiner-sync serve\``
  }
  if (refused.startsWith('there is no GET')) {
    return 'the daemon is of an older version, which doctor cannot ask: restart it with this one'
  }
  return refused
}

function describe(findings: readonly NamedFinding[], facts: Facts, palette: Palette): string[] {
  const lines = findings.flatMap((finding, index) => [...describeFinding(finding, index + 1, palette), ''])
  if (findings.length > 0) {
    const summary = `${counted(findings.length, 'finding')}, the most likely first`
    return [...lines, summary]
  }
  return [
    palette.good('nothing found'),
    ...CAUSES.map(({ looksAt }) => `  looked at ${looksAt}`),
    `  in ${counted(facts.looked_at_items, 'stored item')} of ${counted(Object.keys(facts.tenants).length, 'tenant')}, and in what was refused since the start`,
    '  whether Segment keeps what it answers 200 to cannot be seen from here: look into its debugger',
  ]
}

const HEDGES = { certain: '', likely: 'likely: ', possible: 'perhaps: ' } as const

function describeFinding(
  { tenant, likelihood, problem, evidence, advice }: NamedFinding,
  number: number,
  palette: Palette,
): string[] {
  const where = tenant === null ? '' : `${tenant}: `
  return [
    `${number}. ${palette.bad(`${where}${HEDGES[likelihood]}${problem}`)}`,
    ...evidence.map((one) => `     ${one}`),
    ...advice.map((one) => `   → ${one}`),
  ]
}

const HELP = `
It reads what the daemon knows; nothing is sent to Segment or Refiner, see \`check --online\` for that. The admin token is that of
the variable REFINER_SYNC_ADMIN_TOKEN, or of the configuration. Exit code 1 when something is found.

Example:
  refiner-sync doctor --url http://127.0.0.1:8787`
