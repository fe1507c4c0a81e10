rule pdf_document {
  meta:
    code = "document-content"
    place = "outside-documents"
    text = "the header of a PDF document outside an Encapsulated Document"
  strings:
    $header = { 25 50 44 46 2D ( 31 | 32 ) 2E ( 30 | 31 | 32 | 33 | 34 | 35 | 36 | 37 ) ( 0A | 0D | 20 ) }
  condition:
    $header
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
