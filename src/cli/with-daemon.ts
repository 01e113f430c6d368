import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import { createOperatorClient, type OperatorClient, type OperatorClientOptions } from './operator-client.ts'

/** What all commands that ask the running daemon have. */
export interface CommonOptions extends OperatorClientOptions {
  readonly json: boolean
}

/** Does something with the operator's API of the running daemon; fails where there is no token for it. */
export function withDaemon(
  options: CommonOptions,
  context: CommandContext,
  work: (client: OperatorClient) => Promise<ExitCode>,
): Promise<ExitCode> {
  const client = createOperatorClient(options, context)
  return typeof client === 'string' ? Promise.resolve(fail(client, options, context)) : work(client)
}

/** Says why a command failed, for a person or for a program. */
export function fail(why: string, { json }: { readonly json: boolean }, context: CommandContext): ExitCode {
  if (json) context.print(JSON.stringify({ error: why }, null, 2))
  else context.printError(why)
  return EXIT.failure
}
