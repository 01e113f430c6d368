import { type Command, Option } from 'commander'
import { TAP_STATES, type NumberedEvent, type TapAnswer } from '../console/tap.ts'
import { displayed } from '../testing/displayed.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import { withCommon, withWay } from './delivery-options.ts'
import type { Query } from './operator-client.ts'
import { type CommonOptions, fail, withDaemon } from './with-daemon.ts'

interface TapOptions {
  readonly url?: string
  readonly json: boolean
  readonly tenant?: string
  readonly destination?: string
  readonly state?: string
}

/** Adds `tap` to the program. */
export function addTap(
  program: Command,
  config: () => string,
  context: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  withWay(withCommon(program.command('tap').description('show what happens to deliveries, as it happens')))
    .addOption(new Option('--state <state>', 'only what comes to this').choices(TAP_STATES))
    .addHelpText('after', '\nExample:\n  refiner-sync tap --tenant acme --state dead --json')
    .action(async ({ url, json, tenant, destination, state }: TapOptions) => {
      finish(await tap({ config: config(), url, json }, { tenant, destination, state }, context))
    })
}

/** Follows the deliveries until it is stopped or the daemon ends, a line for each thing that happens. */
function tap(options: CommonOptions, filters: Query, context: CommandContext): Promise<ExitCode> {
  return withDaemon(options, context, async (client) => {
    const stopped = context.stopped.then(() => null)
    let after: number | undefined
    for (;;) {
      const answer = await Promise.race([client.get<TapAnswer>('/api/tap', { ...filters, after }), stopped])
      if (answer === null) return EXIT.ok
      if (!answer.ok) {
        return fail(
          after === undefined ? answer.refused : `the daemon is gone: ${answer.refused}`,
          options,
          context,
        )
      }
      const { events, next, missed, stopping } = answer.body
      if (after === undefined) context.printError('following; Ctrl-C ends it')
      tell(events, missed, options, context)
      if (stopping) {
        context.printError('the daemon has stopped')
        return EXIT.ok
      }
      after = next
      // Whoever reads slowly is told what they lost, instead of being waited for in memory.
      if ((await Promise.race([context.drained?.(), stopped])) === null) return EXIT.ok
    }
  })
}

function tell(
  events: readonly NumberedEvent[],
  missed: number,
  { json }: CommonOptions,
  context: CommandContext,
): void {
  if (missed > 0) {
    if (json) context.print(JSON.stringify({ missed }))
    else context.print(`… ${missed} missed: more happened than could be read`)
  }
  for (const event of events) context.print(json ? JSON.stringify(event) : displayed(line(event)))
}

function line({ at, state, tenant, destination, call, delivery, input, reason }: NumberedEvent): string {
  const which = delivery === null ? `of input ${input}` : `delivery ${delivery}`
  const why = reason === null ? '' : `: ${reason}`
  const what = call === '' ? which : `${call}, ${which}`
  return `${at}  ${state.padEnd(9)}  ${tenant} → ${destination}  ${what}${why}`
}
