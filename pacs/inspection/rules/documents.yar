rule pdf_document {
  meta:
    code = "document-content"
    place = "outside-documents"
    text = "the header of a PDF document outside an Encapsulated Document"
  strings:
    $header = { 25 50 44 46 2D ( 31 | 32 ) 2E ( 30 | 31 | 32 | 33 | 34 | 35 | 36 | 37 ) }
    // Readers mend a document without its header by its objects and its trailer.
    $object = /[0-9] 0 obj\s{0,8}<<[ -~\s]{0,200}\/(Catalog|OpenAction|JavaScript|Launch)\b/
    $trailer = /trailer\s{0,8}<<[ -~\s]{0,200}\/Root [0-9]/
  condition:
    any of them
}

rule compound_document {
  meta:
    code = "document-content"
    place = "outside-documents"
    text = "the header of an OLE document (Office, Windows installer)"
  strings:
    $header = { D0 CF 11 E0 A1 B1 1A E1 }
  condition:
    $header
}

rule rtf_document {
  meta:
    code = "document-content"
    place = "outside-text"
    text = "the header of an RTF document"
  strings:
    $header = /\{\\rtf[0-9\\{ ][ -~\r\n]{10}/
  condition:
    $header
}

rule rtf_object {
  meta:
    code = "document-launches"
    place = "anywhere"
    text = "an object in an RTF document that a program opens by itself"
  strings:
    $update = /\\obj(update|autlink)[\\ {}\r\n]/
    $class = /\\objclass ?\{?(Equation\.[23]|Package|OLE2Link|Word\.Document|Excel\.Sheet|htmlfile|ShellExplorer|otkloadr)/ nocase
    // The same as hex digits: Equation.3, OLE2Link and Package as a class name with its length before it.
    $equation = /0[bB]0000004571756174696[fF]6[eE]2[eE]33/
    $link = /090000004[fF]4[cC]45324[cC]696[eE]6[bB]/
    $package = /080000005061636[bB]61676500/
    $template = /\{\\\*\\template {1,4}(https?:|\\\\)/ nocase
  condition:
    any of them
}

rule office_macro {
  meta:
    code = "script-content"
    place = "outside-text"
    text = "macros of an Office document"
  strings:
    // How the first lines of a module come out of the compression that Office uses (MS-OVBA 2.4.1).
    $module = { 00 41 74 74 72 69 62 75 74 00 65 20 56 42 5F 4E 61 6D }
    $project = "_VBA_PROJECT" wide
    $file = "vbaProject.bin"
    $data = "vbaData.xml"
    $sheet = "xl/macrosheets/"
    $plain = /Attribute VB_(Name|Base|Exposed) ?= ?/
    $runs = /Sub (Auto_?Open|Auto_?Close|Document_Open|Workbook_Open|AutoExec)\(/ nocase
  condition:
    any of them
}

rule linked_template {
  meta:
    code = "document-launches"
    place = "outside-text"
    text = "a document that fetches its template or an object from elsewhere"
  strings:
    $relation = /relationships\/(attachedTemplate|oleObject|frame|subDocument|externalLinkPath)"[^>\x00]{0,300}TargetMode ?= ?"External"/ nocase
    $exchange = /\bDDEAUTO {1,4}["\\c]/ nocase
    $protocol = /\b(ms-msdt|search-ms|ms-officecmd|ms-word|ms-excel):[\/%a-z]/ nocase
  condition:
    any of them
}

rule external_entity {
  meta:
    code = "document-active"
    place = "anywhere"
    text = "an XML document that fetches something from elsewhere"
  strings:
    $entity = /<!ENTITY\s{1,8}(%\s{1,8})?[\w.:-]{1,64}\s{1,8}(SYSTEM|PUBLIC)\s{1,8}["']/
  condition:
    $entity
}

rule postscript_document {
  meta:
    code = "document-content"
    place = "outside-documents"
    text = "the header of a PostScript document, which is a program"
  strings:
    $header = /%!PS-Adobe-[1-3]\.[0-9]/
    // A preview before it, as EPS files for DOS have.
    $binary = { C5 D0 D3 C6 1E 00 00 00 }
    $starts = /\(%[p]ipe%/
    // A job for a printer, which has files of its own.
    $job = /\x1b%-12345X[@]PJL/
  condition:
    any of them
}

rule other_document {
  meta:
    code = "document-content"
    place = "outside-documents"
    text = "the header of a OneNote, Access, help or web archive file"
  strings:
    $note = { E4 52 5C 7B 8C D8 A7 4D AE B1 53 78 D0 29 96 D3 }
    $database = "\x00\x01\x00\x00Standard ACE DB\x00"
    $database2 = "\x00\x01\x00\x00Standard Jet DB\x00"
    $oldHelp = { 3F 5F 03 00 [4] FF FF FF FF }
    $help = { 49 54 53 46 03 00 00 00 60 00 00 00 }
    $mhtml = /MIME-Version: 1\.0\r?\n[^\x00]{0,400}Content-(Type|Location):/ nocase
  condition:
    any of them
}
