/** What a function of a rule was asked for cannot be done. The message quotes nothing that was received. */
export class FunctionFailed extends Error {
  override name = 'FunctionFailed'
}
