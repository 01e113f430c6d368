import { type Command, InvalidArgumentError, Option } from 'commander'

/** Which deliveries are meant; the daemon judges what each says. */
export interface DeliveryFilterOptions {
  readonly state?: string
  readonly tenant?: string
  readonly destination?: string
  readonly user?: string
  readonly survey?: string
  readonly error?: string
  readonly since?: string
  readonly until?: string
}

export const STATES = ['pending', 'leased', 'delivered', 'dead', 'skipped'] as const
const DESTINATIONS = ['segment', 'refiner'] as const

/** Adds the filters that `list` and `replay` share, but for the state. */
export function withFilters(command: Command): Command {
  return withWay(command)
    .option('--user <id>', 'of this user')
    .option('--survey <name>', 'made of this survey, by name or uuid')
    .option('--error <text>', 'with this text in their reason')
    .addOption(new Option('--reason <text>').hideHelp())
    .option('--since <moment>', 'made since: 2026-01-31T08:00:00Z, or how long ago, such as 2h or 3d')
    .option('--until <moment>', 'made before')
}

/** Adds the filters by tenant and destination. */
export function withWay(command: Command): Command {
  return command
    .option('--tenant <name>', 'of this tenant')
    .addOption(new Option('--destination <name>', 'to this destination').choices(DESTINATIONS))
}

/** Adds what all commands have that ask the running daemon. */
export function withCommon(command: Command): Command {
  return command
    .option('--url <url>', 'where the daemon listens (default: as the configuration says)')
    .addOption(new Option('--json', 'print JSON, for a program to read').default(false))
}

/** The filters among the options, as the parameters of the API; `--reason` is the old word for `--error`. */
export function filtersOf(
  options: DeliveryFilterOptions & { readonly reason?: string },
): Record<string, string | undefined> {
  const { state, tenant, destination, user, survey, since, until } = options
  const error = options.error ?? options.reason
  return { state, tenant, destination, user, survey, error, since, until }
}

/** A number from 1. */
export function count(value: string): number {
  const number = Number(value)
  if (Number.isInteger(number) && number > 0) return number
  throw new InvalidArgumentError('give a number from 1')
}
