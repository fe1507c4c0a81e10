/** Held objects by medium or study: one row a group, its objects a click away, one decision for all of them. */
import { useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { GroupBy, HeldGroup } from '@lazaret/pacs/quarantine/requests.ts';
import { TurnIcon, VerdictIcon } from '../parts/icons.tsx';
import { listStyles as styles, walkRows } from '../parts/listhead.tsx';
import { Empty, Hidden, Loading, PatientName, PlainChip, Text, Trouble, VerdictChip, partStyles } from '../parts/parts.tsx';
import { useNow } from '../now.ts';
import { age, counted, moment } from '../words/amounts.ts';
import { findingWords, whyHeld } from '../words/findings.ts';
import { plain } from '../words/plain.ts';
import { doorName, sourceName } from '../words/verdicts.ts';
import { GroupDecision } from './groupdecision.tsx';
import { groupObjectsQuery, groupsQuery } from './requests.ts';

export function Groups({ by }: { readonly by: GroupBy }) {
  const [open, setOpen] = useState<string | null>(null);
  const groups = useQuery(groupsQuery(by));
  return (
    <>
      {groups.isError && <Trouble error={groups.error} what="The groups cannot be shown" retry={() => void groups.refetch()} />}
      <section className={partStyles['card']} aria-label={by === 'medium' ? 'Held objects by medium or transfer' : 'Held objects by study'} aria-busy={groups.isPending}>
        {groups.isPending ? <Loading rows={5} what="held objects" />
          : (groups.data?.groups ?? []).length === 0 ? !groups.isError && <Empty title="Nothing is held" mark={<VerdictIcon verdict="clean" size={44} />}>Everything that arrived was found clean. What is not appears here, with the reason.</Empty>
            : (
              <table className={styles['table']} onKeyDown={walkRows}>
                <colgroup><col width="27%" /><col width="27%" /><col width="24%" /><col width="22%" /></colgroup>
                <thead><tr><th scope="col">{by === 'medium' ? 'Medium or transfer' : 'Study'}</th><th scope="col">{by === 'medium' ? 'Patients and studies' : 'From'}</th><th scope="col">Held</th><th scope="col">Decide on all</th></tr></thead>
                <tbody>{groups.data!.groups.map((group) => <GroupRows key={group.key} by={by} group={group} open={open === group.key} onToggle={() => setOpen(open === group.key ? null : group.key)} />)}</tbody>
              </table>
            )}
        {groups.data?.more === true && <p className={styles['more']}>There are more groups than are shown; those with something malicious in them come first.</p>}
      </section>
    </>
  );
}

function GroupRows({ by, group, open, onToggle }: { readonly by: GroupBy; readonly group: HeldGroup; readonly open: boolean; readonly onToggle: () => void }) {
  const now = useNow();
  const source = group.source.door === 'media' ? plain(group.source.peer, 80) : sourceName(group.source);
  const patient = group.patients > 1 ? <>{counted(group.patients, 'patient')}</> : <PatientName name={group.patientName} id={group.patientID} />;
  const study = group.studies > 1 ? counted(group.studies, 'study', 'studies') : [group.modality, group.description].filter((text) => text !== '').join(' · ') || 'study not known';
  const name = by === 'medium' ? <bdi>{source}</bdi> : patient;
  const codes = group.codes.filter((code) => code !== '').map((code) => findingWords({ code }).title);
  return (
    <>
      <tr className={styles['row']} onClick={(event) => { if (!(event.target as Element).closest('button, a, dialog')) onToggle(); }}>
        <td>
          <button type="button" data-row className={styles['opener']} aria-expanded={open} onClick={onToggle}><TurnIcon /><span>{name}<Hidden>, {counted(group.objects, 'held object')}</Hidden></span></button>
          <span className={styles['soft']}>{by === 'medium' ? <>{doorName(group.source)} · {age(now - group.last)} ago</> : <Text max={100}>{study}</Text>}</span>
        </td>
        <td>
          {by === 'medium' ? <><span className={styles['strong']}>{patient}</span><span className={styles['soft']}><Text max={100}>{study}</Text></span></>
            : <><span className={styles['strong']}><bdi>{source}</bdi></span><span className={styles['soft']}>{doorName(group.source)} · {moment(group.last)}</span></>}
        </td>
        <td>
          <span className={styles['chips']}>
            {group.malicious > 0 && <VerdictChip verdict="malicious" count={group.malicious} />}{group.malformed > 0 && <VerdictChip verdict="malformed" count={group.malformed} />}
            {group.unscannable > 0 && <VerdictChip verdict="unscannable" count={group.unscannable} />}{group.withdrawn > 0 && <PlainChip title="Clean, and taken out of sight by people">{group.withdrawn} withdrawn</PlainChip>}
          </span>
          <span className={styles['soft']} title={codes.join('; ')}>{codes[0] ?? 'taken out of sight by people'}{codes.length > 1 && ` and ${codes.length - 1} more`}</span>
        </td>
        <td><GroupDecision by={by} group={group} name={by === 'medium' ? source : `${plain(group.patientName, 60) || 'the study'}`} /></td>
      </tr>
      {open && <tr className={styles['inner']}><td colSpan={4}><Inside by={by} group={group} /></td></tr>}
    </>
  );
}

function Inside({ by, group }: { readonly by: GroupBy; readonly group: HeldGroup }) {
  const list = useQuery(groupObjectsQuery(by, group.key, true));
  if (list.data === undefined) return list.isError ? <Trouble error={list.error} what="Its objects cannot be shown" /> : <Loading rows={3} what="its objects" />;
  return (
    <>
      <table className={styles['innerTable']} aria-label="Its objects: why they are held, patient, received, verdict">
        <tbody>
          {list.data.entries.map((entry) => (
            <tr key={entry.objectId}>
              <td><Link to="/objects/$objectId" params={{ objectId: entry.objectId }}>{whyHeld(entry).title}</Link></td>
              <td><PatientName name={entry.patientName} id={entry.patientID} /></td>
              <td>{moment(entry.receivedAt)}</td>
              <td>{entry.withdrawal ? <PlainChip>withdrawn</PlainChip> : entry.verdict !== null && entry.verdict !== 'clean' && <VerdictChip verdict={entry.verdict} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {list.data.next !== null && <p className={styles['innerMore']}>The first {list.data.entries.length} of {group.objects}; “./lazaret quarantine list” names them all.</p>}
    </>
  );
}
