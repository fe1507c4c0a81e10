/** Answers an A-ASSOCIATE-RQ (PS3.8 §9.3.3, PS3.7 Annex D). Pure: who the peer is and what it may do was found out before. */
import { maximumLengthMin } from './limits.ts';
import { applicationContextName, contextResults, rejections, type AnsweredPresentationContext, type AssociateAC, type AssociateRJ, type AssociateRQ, type RoleSelection } from './pdu.ts';

/** What we offer for one Abstract Syntax. */
export interface Offer {
  readonly transferSyntaxes: ReadonlySet<string>;
  /** Roles the requestor may have (PS3.7 §D.3.3.4). */
  readonly scuRole: boolean;
  readonly scpRole: boolean;
}

export interface Capabilities {
  /** The offer for an Abstract Syntax; null: not supported; `forbidden`: supported, but not for this peer. */
  offer(abstractSyntax: string): Offer | null | 'forbidden';
  readonly maximumLength: number;
  readonly implementationClassUID: string;
  readonly implementationVersionName: string;
}

/** What makes the whole request unacceptable, or null. Titles are the caller's to judge. */
export function objectionTo(request: AssociateRQ): AssociateRJ | null {
  if (request.applicationContextName !== applicationContextName) return rejections.applicationContextNotSupported;
  const { maximumLength } = request.userInformation;
  if (maximumLength !== 0 && maximumLength < maximumLengthMin) return rejections.noReason;
  return null;
}

/**
 * The A-ASSOCIATE-AC for a request. Of each context's transfer syntaxes the first that we support is taken: the requestor lists them as
 * it prefers. Asynchronous operations and extended negotiation are not answered, which means: not used (PS3.7 §D.3.3.3, §D.3.3.5);
 * so is user identity, for which no response item says that nothing was decided by it (PS3.7 §D.3.3.7).
 */
export function negotiate(request: AssociateRQ, capabilities: Capabilities): AssociateAC {
  const proposals = new Map(request.userInformation.roles.map((role) => [role.sopClassUID, role]));
  const roles = new Map<string, RoleSelection>();
  const presentationContexts: AnsweredPresentationContext[] = request.presentationContexts.map((context) => {
    const refuse = (result: AnsweredPresentationContext['result']): AnsweredPresentationContext => ({ id: context.id, result, transferSyntax: context.transferSyntaxes[0]! });
    const offer = capabilities.offer(context.abstractSyntax);
    if (offer === null) return refuse(contextResults.abstractSyntaxNotSupported);
    if (offer === 'forbidden') return refuse(contextResults.userRejection);
    const proposed = proposals.get(context.abstractSyntax);
    const scuRole = (proposed?.scuRole ?? true) && offer.scuRole;
    const scpRole = (proposed?.scpRole ?? false) && offer.scpRole;
    if (proposed !== undefined) roles.set(context.abstractSyntax, { sopClassUID: context.abstractSyntax, scuRole, scpRole });
    if (!scuRole && !scpRole) return refuse(contextResults.userRejection);
    const transferSyntax = context.transferSyntaxes.find((syntax) => offer.transferSyntaxes.has(syntax));
    if (transferSyntax === undefined) return refuse(contextResults.transferSyntaxesNotSupported);
    return { id: context.id, result: contextResults.acceptance, transferSyntax };
  });
  return {
    type: 'A-ASSOCIATE-AC',
    protocolVersion: 1,
    calledAETitle: request.calledAETitle,
    callingAETitle: request.callingAETitle,
    applicationContextName,
    presentationContexts,
    userInformation: {
      maximumLength: capabilities.maximumLength,
      implementationClassUID: capabilities.implementationClassUID,
      implementationVersionName: capabilities.implementationVersionName,
      roles: [...roles.values()],
      asynchronousOperations: null,
      userIdentityType: null,
    },
  };
}
