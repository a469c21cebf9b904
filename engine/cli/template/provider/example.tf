terraform {
  required_providers {
    note = {
      source = "example/note"
    }
  }
}

resource "note_file" "hello" {
  name = "hello.txt"
  text = "Hello.\n"
}
